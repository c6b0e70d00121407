#include "sim/coverage.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "wire/names.h"

namespace suan::sim {

namespace {

template <class Enum>
void add_enum(std::vector<CoverageLine>& lines, std::string_view kind,
              const std::array<std::uint64_t, Coverage::width>& counts, auto&& is_left_out) {
  for (std::size_t i = 0; i < wire::enumerators_max; ++i) {
    const auto value = static_cast<Enum>(i);
    const std::string_view name = wire::enum_name(value);
    if (!name.empty() && !is_left_out(value)) lines.push_back({kind, name, counts[i]});
  }
}

template <class... T>
void add_events(std::vector<CoverageLine>& lines,
                const std::array<std::uint64_t, Coverage::width>& counts, std::variant<T...>*) {
  std::size_t i = 0;
  (lines.push_back({"event", T::name, counts[i++]}), ...);
}

}  // namespace

void Coverage::hit(const domain::Event& what) {
  ++counts[event][what.index()];
  if (const auto* ended = std::get_if<jobs::TaskEnded>(&what))
    ++counts[end][static_cast<std::size_t>(ended->end)];
  if (const auto* returned = std::get_if<jobs::UnitReturned>(&what))
    ++counts[setback][static_cast<std::size_t>(returned->setback)];
  if (const auto* over = std::get_if<jobs::JobEnded>(&what))
    ++counts[outcome][static_cast<std::size_t>(over->outcome)];
}

void Coverage::add(const Coverage& other) {
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    for (std::size_t i = 0; i < width; ++i) counts[kind][i] += other.counts[kind][i];
  }
}

std::vector<CoverageLine> coverage_lines(const Coverage& coverage, bool of_a_network) {
  static_assert(std::variant_size_v<domain::Event> <= Coverage::width);
  std::vector<CoverageLine> lines;
  const auto none = [](auto value) { return static_cast<int>(value) == 0; };
  const auto nothing = [](auto) { return false; };
  // Refused before a command reaches the core, or only to the core itself.
  const auto elsewhere = [](domain::Code code) {
    using enum domain::Code;
    return code == domain::Code::none || code == request_id_missing || code == overloaded ||
           code == stopping || code == nothing_due || code == nothing_placeable ||
           code == user_unknown || code == amount_too_large || code == outcome_unknown;
  };
  add_enum<Fault>(lines, "fault", coverage.counts[Coverage::fault], nothing);
  add_enum<Branch>(lines, "branch", coverage.counts[Coverage::branch], nothing);
  if (of_a_network)
    add_enum<Between>(lines, "between", coverage.counts[Coverage::between], nothing);
  add_events(lines, coverage.counts[Coverage::event], static_cast<domain::Event*>(nullptr));
  add_enum<domain::Code>(lines, "refusal", coverage.counts[Coverage::refusal], elsewhere);
  add_enum<AttemptEnd>(lines, "end", coverage.counts[Coverage::end], none);
  add_enum<jobs::Setback>(lines, "setback", coverage.counts[Coverage::setback], none);
  add_enum<jobs::Outcome>(lines, "outcome", coverage.counts[Coverage::outcome], none);
  if (of_a_network) return lines;
  std::erase_if(lines, [](const CoverageLine& line) {
    static constexpr std::string_view of_networks[] = {
        "parent_joined", "withdrawn",      "guest_committed",     "guest_refused",
        "guest_let_go",  "refused",        "known_already",       "join_token_made",
        "join_asked",    "join_answered",  "join_token_invalid",  "joiner_unknown",
        "attempt_lost",  "lost_task_told", "lost_attempt_closed", "unanswered",
        "cut_off",       "guest_kept"};
    return std::ranges::find(of_networks, line.name) != std::end(of_networks);
  });
  return lines;
}

}  // namespace suan::sim
