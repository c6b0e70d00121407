#include "placement/why.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "network/circle.h"
#include "placement/question.h"

namespace suan::placement {

namespace {

constexpr std::int64_t megabyte = 1'000'000;
constexpr std::int64_t rtt_ms_max = 10'000;  // Beyond all estimates, and all that is asked for.

/// Looks for the smallest change to each field. Every trial is the changed spec itself, asked as a
/// submission would ask it, so a change that is found is true.
class Remedies {
 public:
  Remedies(const Supply& supply, const JobSpec& spec, const NodeView* nodes)
      : supply_(supply), spec_(spec), nodes_(nodes) {}

  std::vector<Change> find() {
    raise_price();
    for (std::uint32_t i = 0; i < spec_.alternatives.size(); ++i) {
      if (!spec_.alternatives[i].chip.empty()) swap_chip(i);
    }
    for (std::uint32_t i = 0; i < spec_.alternatives.size(); ++i) {
      if (!spec_.alternatives[i].chip.empty()) drop_cards(i);
    }
    lower_sizes();
    lower_tier();
    widen_where();
    shorten_residency();
    go_farther();
    take_more_carbon();
    for (std::uint32_t i = 0; i < spec_.alternatives.size(); ++i) {
      if (spec_.alternatives[i].runs_image) keep({.field = Field::image, .alternative = i});
    }
    if (spec_.moves_data) keep({.field = Field::data});
    if (spec_.is_spot) keep({.field = Field::spot});
    return std::move(changes_);
  }

 private:
  std::optional<Candidate> ask(const JobSpec& spec) const {
    return choose(supply_, make_demand(spec), nodes_);
  }
  std::optional<Candidate> ask(const Edit& edit) const { return ask(apply(spec_, edit)); }

  bool keep(const Edit& edit) {
    const auto found = ask(edit);
    if (found) changes_.push_back(make_change(spec_, edit, found->pool));
    return found.has_value();
  }

  // Keeps the greatest amount of low … high, times `unit`, that helps. Less always helps as well,
  // so halving finds it.
  void keep_greatest(Edit edit, std::int64_t low, std::int64_t high, std::int64_t unit) {
    const auto helps = [&](std::int64_t amount) {
      edit.amount = amount * unit;
      return ask(edit).has_value();
    };
    if (high < low || !helps(low)) return;
    while (low < high) {
      const std::int64_t middle = low + (high - low + 1) / 2;
      if (helps(middle)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    edit.amount = low * unit;
    keep(edit);
  }

  void raise_price() {
    if (spec_.hourly_max == Money{}) return;
    JobSpec trial = spec_;
    trial.hourly_max = {};
    trial.objective = Objective::cost;
    trial.is_ordered = false;
    if (const auto found = ask(trial)) {
      keep({.field = Field::hourly_max, .amount = found->hourly_cost.micro});
    }
  }

  // As much as the cleanest place has that would do; without a bound if nobody knows how much.
  void take_more_carbon() {
    if (spec_.carbon_max == 0) return;
    JobSpec trial = spec_;
    trial.carbon_max = 0;
    trial.objective = Objective::carbon;
    trial.is_ordered = false;
    if (const auto found = ask(trial))
      keep({.field = Field::carbon, .amount = (found->carbon + 999) / 1000});
  }

  // Another chip, as many cards: of all chips the one that ranks first.
  void swap_chip(std::uint32_t alternative) {
    std::optional<Score> best;
    Edit best_edit;
    for (const std::string& chip : supply_.chips()) {
      if (chip.empty() || chip == spec_.alternatives[alternative].chip) continue;
      const Edit edit{.field = Field::chip, .alternative = alternative, .word = chip};
      const auto found = ask(edit);
      if (!found || (best && !(found->score < *best))) continue;
      best = found->score;
      best_edit = edit;
    }
    if (best) keep(best_edit);
  }

  void drop_cards(std::uint32_t alternative) {
    const std::int64_t milli = spec_.alternatives[alternative].card_milli;
    const Edit edit{.field = Field::cards, .alternative = alternative};
    if (milli <= 1000) {
      // One whole card stays whole.
      if (milli < 1000) keep_greatest(edit, 1, milli - 1, 1);
    } else {
      keep_greatest(edit, 1, (milli - 1) / 1000, 1000);
    }
  }

  void lower_sizes() {
    // Where nothing is asked, the need is some node's share: no more than the greatest node.
    std::int64_t cpu_milli = spec_.cpu_milli.least - 1;
    std::int64_t memory_bytes = spec_.memory_bytes.least - 1;
    if (spec_.cpu_milli.least == 0 || spec_.memory_bytes.least == 0) {
      Shape greatest;
      for (std::uint32_t i = 0; i < supply_.shapes().bound(); ++i) {
        if (!supply_.shapes().is_used(i)) continue;
        const Shape& shape = supply_.shapes()[i];
        greatest.cpu_milli = std::max(greatest.cpu_milli, shape.cpu_milli);
        greatest.memory_bytes = std::max(greatest.memory_bytes, shape.memory_bytes);
      }
      if (spec_.cpu_milli.least == 0) cpu_milli = std::max<std::int64_t>(greatest.cpu_milli, 1000);
      if (spec_.memory_bytes.least == 0) memory_bytes = greatest.memory_bytes;
    }
    keep_greatest({.field = Field::cpus}, 1, cpu_milli, 1);
    keep_greatest({.field = Field::memory}, 1, memory_bytes / megabyte, megabyte);
    if (spec_.disk_bytes > 0) {
      keep_greatest({.field = Field::disk}, 0, (spec_.disk_bytes - 1) / megabyte, megabyte);
    }
    keep_greatest({.field = Field::nodes}, 1, std::int64_t{spec_.nodes} - 1, 1);
  }

  void lower_tier() {
    for (auto tier = static_cast<std::int64_t>(spec_.network_tier) - 1; tier >= 0; --tier) {
      if (keep({.field = Field::network_tier, .amount = tier})) return;
    }
  }

  // Without the whole list, the best place shows which one word of it to change.
  void widen_where() {
    JobSpec trial = spec_;
    const auto site_of = [&](const Candidate& found) -> const SiteFacts& {
      const RowAt at = supply_.find_row(found.pool);
      return supply_.sites()[at.block->site[at.row]];
    };
    if (!spec_.where.regions.empty()) {
      trial.where.regions.clear();
      if (const auto found = ask(trial)) {
        keep({.field = Field::regions, .word = site_of(*found).region});
      }
      trial.where = spec_.where;
    }
    if (!spec_.where.exclude_regions.empty()) {
      trial.where.exclude_regions.clear();
      if (const auto found = ask(trial)) {
        keep({.field = Field::exclude_regions, .word = site_of(*found).region});
      }
      trial.where = spec_.where;
    }
    if (!spec_.where.sites.empty()) {
      trial.where.sites.clear();
      if (const auto found = ask(trial)) {
        keep({.field = Field::sites, .word = site_of(*found).name});
      }
    }
  }

  void shorten_residency() {
    std::string prefix = spec_.where.data_residency;
    while (!prefix.empty()) {
      const std::size_t dash = prefix.rfind('-');
      prefix.resize(dash == std::string::npos ? 0 : dash);
      if (keep({.field = Field::data_residency, .word = prefix})) return;
    }
  }

  // The shortest round trip, in whole milliseconds, that helps: a wider circle where one is asked
  // for and holds it. Where none helps, a place that nobody knows the way to.
  void go_farther() {
    if (!spec_.where.near.is_given()) return;
    const Edit nowhere{.field = Field::near};
    Edit edit{.field = Field::max_rtt};
    const auto helps = [&](std::int64_t ms) {
      edit.amount = milliseconds(ms).us;
      return ask(edit).has_value();
    };
    std::int64_t low = network::round_trip_max(spec_.where).us / milliseconds(1).us + 1;
    std::int64_t high = std::max(low, rtt_ms_max);
    if (!ask(nowhere) || !helps(high)) {
      keep(nowhere);
      return;
    }
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      if (helps(middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    edit.amount = milliseconds(low).us;
    if (!widen_circle(edit.amount)) keep(edit);
  }

  bool widen_circle(std::int64_t us) {
    const Circle asked = spec_.where.circle;
    if (asked == Circle::none || spec_.where.max_rtt > Span{}) return false;
    for (auto wider = static_cast<std::int64_t>(asked) + 1; wider <= std::ssize(circles); ++wider) {
      if (network::one_way_max(static_cast<Circle>(wider)) * 2 < Span{us}) continue;
      return keep({.field = Field::circle, .amount = wider});
    }
    return false;
  }

  const Supply& supply_;
  const JobSpec& spec_;
  const NodeView* nodes_;
  std::vector<Change> changes_;
};

// What was asked, to end the sentence of a reason with; may be empty.
std::string asked(Reason reason, const Demand& demand) {
  std::string text;
  switch (reason) {
    case Reason::chip_differs:
      for (const Alternative& alternative : demand.alternatives) {
        text += (text.empty() ? " than " : " or ") + alternative.chip;
      }
      return text;
    case Reason::memory_too_little:
      return demand.memory_bytes.least > 0 ? " than " + print_bytes(demand.memory_bytes.least) : "";
    case Reason::disk_too_little:
      return ", " + print_bytes(demand.disk_bytes) + " asked";
    case Reason::data_residency:
      return demand.where == nullptr ? "" : ", " + demand.where->data_residency;
    case Reason::too_far:
      if (demand.where == nullptr) return "";
      return ": a round trip to " + demand.where->near.name + " may take " +
             print_span(network::round_trip_max(*demand.where));
    case Reason::carbon_too_high:
      return ": " + std::to_string(demand.carbon_max / 1000) + " g/kWh at most";
    case Reason::price_above_hourly_max:
      return demand.hourly_max == Money{} ? "" : " of " + print_money(demand.hourly_max) + " CNY/h";
    case Reason::nodes_too_few:
    case Reason::nodes_busy:
      return ", " + std::to_string(demand.nodes) + " asked";
    default:
      return text;
  }
}

}  // namespace

std::vector<Rejection> print_counts(const Counts& counts, const Demand& demand) {
  std::vector<Rejection> rejections;
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const auto reason = static_cast<Reason>(i);
    std::string text = std::to_string(counts[i]) + (counts[i] == 1 ? " pool: " : " pools: ");
    text += sentence(reason);
    text += asked(reason, demand);
    rejections.push_back({reason, counts[i], std::move(text)});
  }
  return rejections;
}

namespace {

// What helps this gang as a whole in one pool helps it for certain.
JobSpec in_one_pool(const JobSpec& spec) {
  JobSpec whole = spec;
  whole.spread = Spread::pool;
  std::swap(whole.nodes, whole.elements);
  return whole;
}

}  // namespace

Why explain(const Supply& supply, const JobSpec& spec, const NodeView* nodes) {
  const Demand demand = make_demand(spec);
  const Ranking ranking = rank(supply, demand, nodes, 0);
  Why why;
  why.pools = ranking.pools;
  why.starts_now = ranking.starts_now;
  why.rejected = print_counts(ranking.counts, demand);
  if (spec.is_spread()) {
    const JobSpec whole = in_one_pool(spec);
    if (!choose(supply, make_demand(whole), nodes))
      why.changes = Remedies(supply, whole, nodes).find();
    why.nothing_helps = why.starts_now == 0 && why.changes.empty();
    return why;
  }
  if (why.starts_now > 0) return why;
  why.changes = Remedies(supply, spec, nodes).find();
  why.nothing_helps = why.changes.empty();
  return why;
}

std::vector<Refused> list_refused(const Supply& supply, const Demand& demand, const NodeView* nodes,
                                  const Page& page) {
  const Question question(supply, demand, nodes);
  std::vector<Wish> wishes;
  for (std::uint32_t i = 0; i < demand.alternatives.size(); ++i) wishes.push_back(question.wish(i));
  std::vector<Refused> refused;
  const auto end = supply.places().end();
  for (auto at = supply.places().from({page.after.value + 1}); at != end; ++at) {
    if (refused.size() == page.limit) break;
    Reason furthest = Reason::none;
    bool starts_now = false;
    for (const Wish& wish : wishes) {
      Match match{&wish, {}, supply.find_row(at->first), {}, Reason::none};
      const Reason reason = question.judge(match);
      starts_now = starts_now || reason == Reason::none;
      furthest = std::max(furthest, reason);
    }
    if (starts_now || (page.only != Reason::none && page.only != furthest)) continue;
    refused.push_back({at->first, furthest});
  }
  return refused;
}

}  // namespace suan::placement
