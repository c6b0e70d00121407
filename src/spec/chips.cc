#include "spec/chips.h"

#include <algorithm>

#include "base/text.h"

namespace suan::spec {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return out;
}

}  // namespace

ChipMatch match_chip(std::string_view name, std::span<const std::string> chips) {
  const std::string wanted = lower(name);
  ChipMatch match;
  std::vector<std::string_view> same;
  std::vector<std::string_view> short_for;
  std::vector<std::string_view> starting;
  for (const std::string& chip : chips) {
    if (chip == name) return {chip, {}, {}};
    const std::string known = lower(chip);
    if (known == wanted) same.push_back(chip);
    if (!known.starts_with(wanted)) continue;
    starting.push_back(chip);
    if (known.substr(wanted.size()).starts_with('-')) short_for.push_back(chip);
  }
  for (auto* found : {&same, &short_for, &starting}) {
    std::sort(found->begin(), found->end());
    found->erase(std::unique(found->begin(), found->end()), found->end());
  }
  if (same.size() == 1) return {same.front(), {}, {}};
  if (short_for.size() == 1) return {short_for.front(), {}, {}};
  if (starting.size() > 1) return {{}, std::move(starting), {}};
  if (starting.size() == 1) return {{}, {}, starting.front()};
  // The nearest name, or the nearest by what stands before the dash: H8000 is near H800-SXM.
  std::vector<std::string> forms;
  std::vector<std::string_view> owners;
  for (const std::string& chip : chips) {
    forms.push_back(lower(chip));
    owners.push_back(chip);
    if (const std::size_t dash = chip.find('-'); dash != std::string::npos) {
      forms.push_back(lower(chip.substr(0, dash)));
      owners.push_back(chip);
    }
  }
  const std::vector<std::string_view> candidates(forms.begin(), forms.end());
  const std::string_view near = nearest(wanted, candidates);
  const auto at = std::find(candidates.begin(), candidates.end(), near);
  if (!near.empty() && at != candidates.end())
    match.near = owners[static_cast<std::size_t>(at - candidates.begin())];
  return match;
}

}  // namespace suan::spec
