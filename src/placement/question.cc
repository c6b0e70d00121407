#include "placement/question.h"

#include <algorithm>

#include "base/planted.h"
#include "network/circle.h"

namespace suan::placement {

namespace {

__extension__ using Wide = __int128;

// Carbon of power nobody describes, in g/kWh × 1000: about China's average grid.
constexpr std::int64_t carbon_assumed = 600'000;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_everywhere(const Where& where) {
  return where.regions.empty() && where.exclude_regions.empty() && where.sites.empty() &&
         where.data_residency.empty() && !where.near.is_given();
}

// A site this close to a place stands for it: the fibre between them takes less than 0.5 ms there
// and back.
constexpr std::int64_t standing_for_m = 30'000;
constexpr std::size_t standing_max = 8;  // The closest that have measured.

// A count times an amount is more than there is.
bool exceeds(std::uint32_t count, std::int64_t amount, std::int64_t there) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(std::int64_t{count}, amount, &product) || product > there;
}

}  // namespace

Question::Question(const Supply& supply, const Demand& demand, const NodeView* nodes)
    : supply_(&supply),
      demand_(demand),
      nodes_(nodes),
      cost_max_(demand.hourly_max > Money{} ? std::min(demand.hourly_max.micro, INT64_MAX - 1)
                                            : INT64_MAX - 1),
      nodes_asked_(std::min(demand.nodes, static_cast<std::uint32_t>(number_max))),
      is_anywhere_(demand.carbon_max == 0 &&
                   (demand.where == nullptr || is_everywhere(*demand.where))),
      is_near_(demand.where != nullptr && demand.where->near.is_given()) {
  if (is_near_) look_around();
  if (!demand.is_spot) return;
  spot_milli_min_ = 1000;
  const auto& shapes = supply.shapes();
  for (std::uint32_t i = 0; i < shapes.bound(); ++i) {
    if (shapes.is_used(i) && shapes[i].spot_milli > 0)
      spot_milli_min_ = std::min(spot_milli_min_, shapes[i].spot_milli);
  }
}

void Question::look_around() {
  const Near& near = demand_.where->near;
  near_ = network::position_at(near.latitude_micro, near.longitude_micro);
  round_trip_max_ = network::round_trip_max(*demand_.where);
  if (supply_->links().empty()) return;
  struct Close {
    bool is_other = false;  // Not the site that was named.
    std::int64_t metres = 0;
    SiteId site;
    auto operator<=>(const Close&) const = default;
  };
  std::vector<Close> close;
  const auto& sites = supply_->sites();
  for (std::uint32_t i = 0; i < sites.bound(); ++i) {
    if (!sites.is_used(i) || !sites[i].is_located || !supply_->links().has_any(sites.key(i)))
      continue;
    const std::int64_t metres = network::distance_metres(near_, sites[i].position);
    if (metres <= standing_for_m)
      close.push_back({sites[i].name != near.name, metres, sites.key(i)});
  }
  std::sort(close.begin(), close.end());
  close.resize(std::min(close.size(), standing_max));
  standing_.reserve(close.size());
  for (const Close& each : close) standing_.push_back(each.site);
}

network::RoundTrip Question::round_trip(std::uint32_t number) const {
  if (!is_near_) return {};
  const SiteId site = supply_->sites().key(number);
  for (const SiteId from : standing_) {
    if (const Rtt* rtt = supply_->links().find(from, site)) return {.time = rtt->p99};
  }
  const SiteFacts& facts = supply_->sites()[number];
  if (!facts.is_located) return {};
  return {.time = network::estimated_round_trip(network::distance_metres(near_, facts.position)),
          .is_estimated = true};
}

Wish Question::wish(std::uint32_t alternative) const {
  Wish wish;
  wish.alternative = &demand_.alternatives[alternative];
  wish.index = alternative;
  wish.has_cards = !wish.alternative->chip.empty();
  wish.is_offered = true;
  if (wish.has_cards) {
    const std::uint32_t* chip = supply_->find_chip(wish.alternative->chip);
    wish.is_offered = chip != nullptr;
    wish.chip = chip == nullptr ? 0 : *chip;
    wish.speed = supply_->speed_of(wish.alternative->chip);
  }
  return wish;
}

Need Question::least_need(const Wish& wish) const {
  // What the rules make of the cards, or of cores without cards, does not depend on the node.
  Need need = need_in(NodeSize{}, demand_, *wish.alternative);
  if (wish.has_cards) need.cpu_milli = demand_.cpu_milli.least;
  need.memory_bytes = demand_.memory_bytes.least;
  return need;
}

ShapeVerdict Question::judge_shape(const Wish& wish, std::uint32_t number) const {
  const Shape& shape = supply_->shapes()[number];
  ShapeVerdict verdict;
  verdict.cards_milli = std::int64_t{shape.cards} * 1000;
  if (!wish.takes(shape.chip)) {
    verdict.reason = Reason::chip_differs;
    return verdict;
  }
  const NodeSize node{shape.cards, shape.cpu_milli, shape.memory_bytes};
  verdict.need = need_in(node, demand_, *wish.alternative);
  verdict.room = Room::up(verdict.need.cpu_milli, verdict.need.memory_bytes);
  if (verdict.need.card_milli > verdict.cards_milli) {
    verdict.reason = Reason::cards_per_node_too_few;
  } else if (verdict.need.cpu_milli > shape.cpu_milli) {
    verdict.reason = Reason::cores_too_few;
  } else if (verdict.need.memory_bytes > shape.memory_bytes) {
    verdict.reason = Reason::memory_too_little;
  } else if (demand_.disk_bytes > shape.disk_bytes) {
    verdict.reason = Reason::disk_too_little;
  } else if (demand_.network_tier > shape.network_tier) {
    verdict.reason = Reason::network_tier_too_low;
  } else if (wish.alternative->runs_image && !shape.runs_images) {
    verdict.reason = Reason::images_not_run;
  } else if (demand_.moves_data && !shape.moves_data) {
    verdict.reason = Reason::data_not_moved;
  } else if (!std::ranges::includes(shape.stores, demand_.stores)) {
    verdict.reason = Reason::store_missing;
  } else if (demand_.is_spot && shape.spot_milli == 0) {
    verdict.reason = Reason::no_spot;
  }
  return verdict;
}

Reason Question::judge_site(std::uint32_t number) const {
  if (is_anywhere_) return Reason::none;
  const SiteFacts& site = supply_->sites()[number];
  const Reason outside = demand_.where == nullptr ? Reason::none : judge_place(number);
  if (outside != Reason::none || demand_.carbon_max == 0) return outside;
  const bool is_clean = site.carbon > 0 && site.carbon <= demand_.carbon_max;
  return is_clean ? Reason::none : Reason::carbon_too_high;
}

Reason Question::judge_place(std::uint32_t number) const {
  const SiteFacts& site = supply_->sites()[number];
  const Where& where = *demand_.where;
  if (!where.regions.empty() && !contains(where.regions, site.region)) {
    return Reason::region_not_allowed;
  }
  if (contains(where.exclude_regions, site.region)) return Reason::region_excluded;
  if (!where.sites.empty() && !contains(where.sites, site.name)) return Reason::site_not_allowed;
  if (!lies_in(site.region, where.data_residency)) return Reason::data_residency;
  if (round_trip_max_ > Span{} && !planted(Bug::distance_ignored)) {
    const network::RoundTrip trip = round_trip(number);
    if (!trip.is_known() || trip.time > round_trip_max_) return Reason::too_far;
  }
  return Reason::none;
}

Reason Question::judge_busy(const Block& block, std::size_t row,
                            const ShapeVerdict& verdict) const {
  if (!block.is_reachable(row)) return Reason::member_unreachable;
  if (block.nodes[row].free >= nodes_asked_) return Reason::none;
  const auto milli = static_cast<std::uint32_t>(verdict.need.card_milli);
  const Room& max = block.max[row];
  if (milli > block.widths[row].most) return Reason::cards_busy;
  if (verdict.room.cpu_milli > max.cpu_milli) return Reason::cores_busy;
  if (verdict.room.memory_units > max.memory_units) return Reason::memory_busy;
  if (nodes_asked_ == 1) {
    const Room& room = milli > 0 ? block.widest[row] : block.roomiest[row];
    const bool is_wide = milli == 0 || milli <= block.widths[row].widest;
    if (is_wide && sufficing(room, verdict.room) == both_suffice) return Reason::none;
  }
  return ask_nodes(block, row, verdict.need);
}

Reason Question::ask_nodes(const Block& block, std::size_t row, const Need& need) const {
  const Free& free = block.free[row];
  if (demand_.nodes > 1 && (exceeds(demand_.nodes, need.card_milli, free.cards_milli) ||
                            exceeds(demand_.nodes, need.cpu_milli, free.cpu_milli) ||
                            exceeds(demand_.nodes, need.memory_bytes, free.memory_bytes))) {
    return Reason::nodes_busy;
  }
  if (nodes_ == nullptr) return Reason::nodes_busy;
  const PoolId pool{block.pool[row]};
  return nodes_->nodes_fitting(pool, need, demand_.nodes) >= demand_.nodes ? Reason::none
                                                                           : Reason::nodes_busy;
}

Reason Question::judge(Match& match) const {
  const Block& block = *match.at.block;
  const std::size_t row = match.at.row;
  if (!block.is_open(row)) return Reason::pool_closed;
  match.verdict = judge_shape(*match.wish, block.shape[row]);
  if (match.verdict.reason != Reason::none) return match.verdict.reason;
  if (const Reason reason = judge_site(block.site[row]); reason != Reason::none) return reason;
  match.cost = cost(block, row, match.verdict.need);
  const Reason reason = judge_price(match.cost, block.nodes[row].all);
  if (reason != Reason::none) return reason;
  match.waits_for = judge_busy(block, row, match.verdict);
  return match.waits_for;
}

// cost × (1 + carbon / 2,000,000), rounded down; at most INT64_MAX.
std::int64_t Question::raised_by_carbon(std::int64_t cost, std::int64_t carbon) {
  constexpr std::int64_t carbon_doubling = 2'000'000;
  const std::int64_t known = carbon > 0 ? carbon : carbon_assumed;
  std::int64_t raise = 0;
  std::int64_t sum = 0;
  if (!__builtin_mul_overflow(cost, known, &raise)) {
    if (!__builtin_add_overflow(cost, raise / carbon_doubling, &sum)) return sum;
  }
  const Wide exact = cost + Wide{cost} * known / carbon_doubling;
  return exact > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(exact);
}

Score Question::score(const Match& match) const {
  const Block& block = *match.at.block;
  const std::size_t row = match.at.row;
  const Need& need = match.verdict.need;
  Score score;
  score.alternative_first = demand_.is_ordered ? match.wish->index : 0;
  score.later = match.waits_for != Reason::none;
  score.later_first = score.later && is_soonest_first();
  score.major = major(*match.wish, need, match.cost.micro, block.carbon[row]);
  score.cost = match.cost.micro;
  score.queued = (block.flags[row] & row_firm) == 0;
  score.spare_milli = spare_milli(*match.wish, match.verdict, block, row);
  score.pool = block.pool[row];
  score.alternative = match.wish->index;
  return score;
}

Candidate Question::candidate(const Match& match, const Score& score) const {
  const Block& block = *match.at.block;
  const std::size_t row = match.at.row;
  Candidate candidate;
  candidate.pool = PoolId{block.pool[row]};
  candidate.alternative = match.wish->index;
  candidate.need = match.verdict.need;
  candidate.hourly_cost = match.cost;
  candidate.waits_for = match.waits_for;
  candidate.is_firm = (block.flags[row] & row_firm) != 0;
  candidate.carbon = block.carbon[row];
  candidate.speed = match.wish->speed * match.verdict.need.card_milli;
  candidate.round_trip = round_trip(block.site[row]);
  candidate.score = score;
  return candidate;
}

Score Question::score_at_least(const Wish& wish, const Need& least, std::int64_t cost,
                               std::int64_t carbon_min) const {
  Score bound;
  bound.alternative_first = demand_.is_ordered ? wish.index : 0;
  // Where the carbon is unknown, some is assumed.
  const std::int64_t raising = std::clamp<std::int64_t>(carbon_min, 1, carbon_assumed);
  bound.major =
      demand_.objective == Objective::carbon ? carbon_min : major(wish, least, cost, raising);
  bound.cost = cost;
  bound.alternative = wish.index;
  return bound;
}

}  // namespace suan::placement
