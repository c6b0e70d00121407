#include "spec/hours.h"

#include <string>

namespace suan::spec {

namespace {

constexpr std::int64_t carbon_max = 10'000;

}  // namespace

std::vector<wire::Mistake> read_hours(const SpecDocument& document, JobSpec& spec) {
  std::vector<wire::Mistake> mistakes;
  if (document.energy && document.energy->max_carbon) {
    const std::int64_t grams = *document.energy->max_carbon;
    if (grams >= 1 && grams <= carbon_max)
      spec.carbon_max = static_cast<std::uint32_t>(grams);
    else
      mistakes.push_back(
          {"/energy/max_carbon",
           "expected 1 to " + std::to_string(carbon_max) + " g/kWh, found " + std::to_string(grams),
           {}});
  }
  if (!document.start || !document.start->window) return mistakes;
  const std::string& word = document.start->window->text;
  const bool is_green = word == "greenest";
  const Objective fitting = is_green ? Objective::carbon : Objective::cost;
  const std::string name = is_green ? "carbon" : "cost";
  if (!document.start->deadline)
    mistakes.push_back(
        {"/start/window", "start.window needs start.deadline: the latest moment to start", {}});
  if (document.objective.value_or(fitting) != fitting)
    mistakes.push_back(
        {"/objective", "start.window: " + word + " goes with objective: " + name, name});
  spec.window = is_green ? Window::greenest : Window::cheapest;
  spec.objective = fitting;
  return mistakes;
}

}  // namespace suan::spec
