#include "sim/scenario.h"

#include <string>
#include <type_traits>

#include "base/text.h"

namespace suan::sim {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool set(Scenario& scenario, std::string_view name, std::int64_t value) {
  bool is_known = false;
  Scenario::fields(
      [&](std::uint32_t, std::string_view field, auto& member) {
        if (field != name) return;
        is_known = true;
        member = static_cast<std::remove_cvref_t<decltype(member)>>(value);
      },
      scenario);
  return is_known;
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text) {
  constexpr std::int64_t value_max = 1'000'000'000;
  Scenario scenario;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string_view line = trimmed(whole.substr(0, whole.find('#')));
    if (line.empty()) continue;
    const std::string_view name = line.substr(0, line.find(' '));
    const auto value = parse_integer(trimmed(line.substr(name.size())));
    if (!value || *value < 0 || *value > value_max || !set(scenario, name, *value))
      return failure(Failure::Kind::invalid,
                     "expected \"name number\", found \"" + std::string(line) + "\"",
                     "line " + std::to_string(number));
  }
  return scenario;
}

}  // namespace suan::sim
