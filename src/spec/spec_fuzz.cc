#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "spec/print.h"
#include "spec/read.h"
#include "spec/yaml.h"
#include "wire/json_tree.h"

// YAML becomes JSON or is refused; a specification that is accepted is understood the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const suan::spec::Known known{{"Ascend910B3", "H800-SXM", "H20", "MXC500-OAM", "MXC500-PCIe"}};
  const std::string_view yaml(reinterpret_cast<const char*>(bytes), size);
  const auto text = suan::spec::read_yaml(yaml);
  if (!text) return 0;
  suan::ensure(suan::wire::parse_json(text->json).has_value());
  const auto job = suan::spec::read_spec(text->json, known);
  if (!job) {
    suan::ensure(!job.error().empty());
    return 0;
  }
  const auto again = suan::spec::read_spec(suan::spec::print_spec(*job), known);
  suan::ensure(again.has_value() && *again == *job);
  return 0;
}
