#include "placement/change.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"

namespace suan::placement {

namespace {

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// 1500 -> "1.5"
std::string print_milli(std::int64_t milli) {
  std::string text = std::to_string(milli / 1000);
  std::int64_t rest = milli % 1000;
  if (rest == 0) return text;
  text += '.';
  for (std::int64_t unit = 100; rest > 0; unit /= 10) {
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

std::string print_bounds(const Bounds& bounds, std::string (*print)(std::int64_t)) {
  if (bounds.least == 0 && bounds.most == 0) return "";
  if (bounds.most == 0) return print(bounds.least) + "+";
  if (bounds.least == bounds.most) return print(bounds.least);
  return print(bounds.least) + ".." + print(bounds.most);
}

std::string print_alternative(const Alternative& alternative) {
  if (alternative.chip.empty()) return "";
  return alternative.chip + ":" + print_milli(alternative.card_milli);
}

std::string_view print_tier(NetworkTier tier) {
  constexpr std::array<std::string_view, 3> names{"standard", "rdma", "best"};
  return names[static_cast<std::size_t>(tier)];
}

std::string print_circle(Circle circle) {
  if (circle == Circle::none) return "";
  return std::string(circles[static_cast<std::size_t>(circle) - 1]);
}

// A bound and a circle count together, so a longer round trip takes the place of both.
std::string print_bound(const Where& where) {
  const std::string circle = print_circle(where.circle);
  const std::string rtt = where.max_rtt == Span{} ? "" : print_span(where.max_rtt);
  if (circle.empty()) return rtt;
  return rtt + (rtt.empty() ? "" : " and ") + "where.circle " + circle;
}

// The field of this spec as run.yaml writes it; "" where it says nothing.
std::string print_field(const JobSpec& spec, const Edit& edit) {
  switch (edit.field) {
    case Field::other:
      return "";
    case Field::hourly_max:
      return spec.hourly_max == Money{} ? "" : print_money(spec.hourly_max);
    case Field::chip:
    case Field::cards:
      return print_alternative(spec.alternatives[edit.alternative]);
    case Field::cpus:
      return print_bounds(spec.cpu_milli, print_milli);
    case Field::memory:
      return print_bounds(spec.memory_bytes, print_bytes);
    case Field::disk:
      return spec.disk_bytes == 0 ? "" : print_bytes(spec.disk_bytes);
    case Field::nodes:
      return std::to_string(spec.nodes);
    case Field::network_tier:
      return std::string(print_tier(spec.network_tier));
    case Field::regions:
      return join(spec.where.regions);
    case Field::exclude_regions:
      return join(spec.where.exclude_regions);
    case Field::sites:
      return join(spec.where.sites);
    case Field::data_residency:
      return spec.where.data_residency;
    case Field::max_rtt:
      return print_bound(spec.where);
    case Field::circle:
      return print_circle(spec.where.circle);
    case Field::near:
      return spec.where.near.name;
    case Field::carbon:
      return spec.carbon_max == 0 ? "" : std::to_string(spec.carbon_max);
    case Field::spot:
      return spec.is_spot ? "spot" : "on-demand";
    case Field::image:
    case Field::data:
      return "";  // Their names are not known here.
  }
  return "";
}

// An exact amount stays exact.
void lower(Bounds& bounds, std::int64_t amount) {
  if (bounds.most > 0 && bounds.most == bounds.least) bounds.most = amount;
  bounds.least = amount;
}

}  // namespace

std::string_view path(Field field) {
  constexpr std::array<std::string_view, 20> paths{"",
                                                   "price.max_hourly_cost",
                                                   "resources.accelerators",
                                                   "resources.accelerators",
                                                   "resources.cpus",
                                                   "resources.memory",
                                                   "resources.disk_size",
                                                   "num_nodes",
                                                   "resources.network_tier",
                                                   "where.regions",
                                                   "where.exclude_regions",
                                                   "where.sites",
                                                   "where.data_residency",
                                                   "where.max_rtt",
                                                   "where.circle",
                                                   "where.near",
                                                   "energy.max_carbon",
                                                   "image",
                                                   "inputs and outputs",
                                                   "price.spot_policy"};
  return paths[static_cast<std::size_t>(field)];
}

JobSpec apply(JobSpec spec, const Edit& edit) {
  switch (edit.field) {
    case Field::other:
      break;
    case Field::hourly_max:
      spec.hourly_max = {edit.amount};
      break;
    case Field::chip:
      spec.alternatives[edit.alternative].chip = edit.word;
      break;
    case Field::cards:
      spec.alternatives[edit.alternative].card_milli = edit.amount;
      break;
    case Field::cpus:
      lower(spec.cpu_milli, edit.amount);
      break;
    case Field::memory:
      lower(spec.memory_bytes, edit.amount);
      break;
    case Field::disk:
      spec.disk_bytes = edit.amount;
      break;
    case Field::nodes:
      spec.nodes = static_cast<std::uint32_t>(edit.amount);
      break;
    case Field::network_tier:
      spec.network_tier = static_cast<NetworkTier>(edit.amount);
      break;
    case Field::regions:
      spec.where.regions.push_back(edit.word);
      break;
    case Field::exclude_regions:
      std::erase(spec.where.exclude_regions, edit.word);
      break;
    case Field::sites:
      spec.where.sites.push_back(edit.word);
      break;
    case Field::data_residency:
      spec.where.data_residency = edit.word;
      break;
    case Field::max_rtt:
      spec.where.max_rtt = {edit.amount};
      spec.where.circle = Circle::none;
      break;
    case Field::circle:
      spec.where.circle = static_cast<Circle>(edit.amount);
      break;
    case Field::near:
      spec.where.near = {};
      spec.where.max_rtt = {};
      spec.where.circle = Circle::none;
      break;
    case Field::carbon:
      spec.carbon_max = static_cast<std::uint32_t>(edit.amount);
      break;
    case Field::image:
      spec.alternatives[edit.alternative].runs_image = false;
      break;
    case Field::data:
      spec.moves_data = false;
      spec.stores.clear();
      break;
    case Field::spot:
      spec.is_spot = false;
      break;
  }
  return spec;
}

Change make_change(std::string field, std::string from, std::string to, PoolId pool, Edit edit) {
  Change change{std::move(field), std::move(from), std::move(to), "", pool, std::move(edit)};
  if (change.to.empty()) {
    change.text = "without " + change.field;
    if (!change.from.empty()) change.text += " " + change.from;
  } else {
    change.text = "with " + change.field + " " + change.to;
    if (!change.from.empty()) change.text += " instead of " + change.from;
  }
  return change;
}

Change make_change(const JobSpec& spec, Edit edit, PoolId pool) {
  std::string from = print_field(spec, edit);
  std::string to = print_field(apply(spec, edit), edit);
  return make_change(std::string(path(edit.field)), std::move(from), std::move(to), pool,
                     std::move(edit));
}

}  // namespace suan::placement
