#include "sim/trace.h"

#include <variant>

#include "wire/json.h"

namespace suan::sim {

std::string print_event(const domain::Event& event) {
  return std::visit(
      [](const auto& each) { return std::string(each.name) + " " + wire::to_json(each); }, event);
}

}  // namespace suan::sim
