#include "sim/crowd.h"

#include <algorithm>
#include <array>

namespace suan::sim {

namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30U;

// Where the sites of a domain are, in their order.
struct Place {
  const char* name;
  std::int32_t latitude_micro;
  std::int32_t longitude_micro;
};
constexpr std::array<Place, 3> places{{{"shanghai", 31'220'000, 121'480'000},
                                       {"guiyang", 26'570'000, 106'710'000},
                                       {"hohhot", 40'820'000, 111'650'000}}};

Hourly make_hours(Random& random, Moment now, std::int64_t most) {
  Hourly hourly;
  hourly.from = hour_of(now + hours(random.between(-60, 10)));
  const std::int64_t days = random.between(1, 3);
  for (std::int64_t i = 0; i < days * 24; ++i)
    hourly.values.push_back(
        static_cast<std::uint32_t>(random.chance(1, 8) ? 0 : random.between(most / 10, most)));
  return hourly;
}

Pool make_pool(Random& random, std::size_t number, Moment now) {
  Pool pool;
  static constexpr std::array<const char*, 4> chips{"H800", "910B", "MI300X", ""};
  pool.chip = chips[random.below(chips.size())];
  pool.name = (pool.chip.empty() ? "cpu" : "p") + std::to_string(number);
  pool.nodes = static_cast<std::uint32_t>(random.between(1, 4));
  pool.cards_per_node = pool.chip.empty() ? 0 : static_cast<std::uint32_t>(random.between(1, 8));
  pool.cpu_milli_per_node = random.between(4, 64) * 1000;
  pool.memory_bytes_per_node = random.between(16, 256) * gib;
  pool.network_tier = random.chance(1, 3) ? NetworkTier::rdma : NetworkTier::standard;
  // Odd prices, so that roundings differ; now and then it is free.
  pool.price.card_hour = {random.chance(1, 10) ? 0 : random.between(1, 20'000'000)};
  pool.price.core_hour = {random.chance(1, 4) ? 0 : random.between(1, 300'001)};
  pool.is_firm = !random.chance(1, 6);
  if (random.chance(1, 3)) pool.rates = make_hours(random, now, 3000);
  if (random.chance(2, 3)) pool.spot_milli = 1 + random.below(1000U);
  return pool;
}

void make_batch_limits(Random& random, JobSpec& spec) {
  if (random.chance(1, 2)) spec.max_duration = seconds(random.between(30, 7200));
  if (random.chance(1, 8)) spec.max_duration = hours(random.between(2, 30));
  if (random.chance(1, 3)) spec.budget = {random.between(1, 60'000'000)};
  // An array whose units need all of their shares has nothing left for second attempts.
  if (spec.elements > 1 && random.chance(1, 2))
    spec.budget = {random.between(200'000, 3'000'000) * spec.elements};
  if (random.chance(1, 8)) spec.hourly_max = {random.between(1, 200'000'000)};
}

void make_alternatives(Random& random, JobSpec& spec) {
  static constexpr std::array<const char*, 4> chips{"H800", "910B", "MI300X", "GTX9"};
  const std::int64_t count = random.chance(1, 3) ? random.between(2, 3) : 1;
  for (std::int64_t i = 0; i < count; ++i) {
    Alternative each;
    if (!random.chance(1, 4)) {
      each.chip = chips[random.below(random.chance(1, 30) ? 4U : 3U)];
      each.card_milli =
          random.chance(1, 3) ? random.between(1, 9) * 100 : random.between(1, 4) * 1000;
    }
    spec.alternatives.push_back(each);
  }
  spec.is_ordered = count > 1 && random.chance(1, 2);
}

}  // namespace

std::vector<Offer> make_offers(Random& random, Moment now) {
  static constexpr std::array<const char*, 3> regions{"cn-sh", "cn-gz", "cn-nm"};
  static_assert(regions.size() == places.size());
  std::vector<Offer> offers;
  for (std::size_t i = 0; i < 1 + random.below(std::size_t{3}); ++i) {
    Offer offer;
    offer.member = "member" + std::to_string(i);
    offer.site.name = "site" + std::to_string(i);
    offer.site.region = regions[i];
    offer.site.latitude_micro = places[i].latitude_micro;
    offer.site.longitude_micro = places[i].longitude_micro;
    offer.site.pue_milli = 1200;
    offer.site.carbon_g_per_kwh = static_cast<std::uint32_t>(random.between(0, 600));
    if (random.chance(1, 2)) offer.site.carbon_hours = make_hours(random, now, 900);
    for (std::size_t p = 0; p < 2 + random.below(std::size_t{3}); ++p)
      offer.pools.push_back(make_pool(random, p, now));
    offers.push_back(std::move(offer));
  }
  return offers;
}

void change_offer(Offer& offer, Random& random, Coverage& coverage, Moment now) {
  if (offer.pools.empty() || random.chance(1, 8)) {
    coverage.hit(Fault::pool_new);
    offer.pools.push_back(make_pool(random, 10 + random.below(std::size_t{20}), now));
    for (std::size_t i = 0; i + 1 < offer.pools.size(); ++i) {
      if (offer.pools[i].name != offer.pools.back().name) continue;
      offer.pools.erase(offer.pools.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    return;
  }
  Pool& pool = offer.pools[random.below(offer.pools.size())];
  switch (random.below(8U)) {
    case 0:
      coverage.hit(Fault::pool_shrunk);
      pool.nodes = static_cast<std::uint32_t>(random.between(0, pool.nodes));
      break;
    case 1:
      coverage.hit(Fault::pool_shrunk);
      pool.cards_per_node = static_cast<std::uint32_t>(random.between(0, pool.cards_per_node));
      pool.cpu_milli_per_node = pool.cpu_milli_per_node / 2 + 1000;
      break;
    case 2:
      coverage.hit(Fault::pool_grown);
      pool.nodes = std::min(pool.nodes + 2, 6U);
      if (!pool.chip.empty()) pool.cards_per_node = std::min(pool.cards_per_node + 2, 8U);
      pool.cpu_milli_per_node += 8000;
      pool.memory_bytes_per_node += 16 * gib;
      break;
    case 3:
      coverage.hit(Fault::pool_drained);
      pool.state = ServingState::draining;
      break;
    case 4:
      coverage.hit(Fault::pool_closed);
      pool.state = ServingState::closed;
      break;
    case 5:
      coverage.hit(Fault::price_changed);
      pool.price.card_hour = {random.between(0, 40'000'000)};
      pool.rates = random.chance(1, 2) ? make_hours(random, now, 3000) : Hourly{};
      pool.spot_milli = random.chance(1, 3) ? 0 : 1 + random.below(1000U);
      break;
    case 6:
      coverage.hit(Fault::pool_withdrawn);
      offer.pools.erase(offer.pools.begin() + (&pool - offer.pools.data()));
      break;
    default:
      for (Pool& each : offer.pools) each.state = ServingState::production;
      break;
  }
}

void open_wide(Offer& offer) {
  for (Pool& pool : offer.pools) {
    pool.state = ServingState::production;
    pool.nodes = std::max(pool.nodes, 6U);
    if (!pool.chip.empty()) pool.cards_per_node = 8;
    pool.cpu_milli_per_node = std::max<std::int64_t>(pool.cpu_milli_per_node, 64'000);
    pool.memory_bytes_per_node = std::max(pool.memory_bytes_per_node, 256 * gib);
    if (pool.spot_milli == 0) pool.spot_milli = 500;
  }
}

namespace {

// What many ask for alike, so that they wait in one line.
void make_usual(Random& random, JobSpec& spec) {
  spec.alternatives = {{}};
  spec.cpu_milli.least = 8000;
  spec.max_duration = minutes(random.chance(1, 2) ? 30 : 90);
}

// Near a city, or the site there, so that what is measured from there counts in both cases.
void make_near(Random& random, Where& where) {
  const std::size_t i = random.below(places.size());
  where.near = {random.chance(1, 2) ? places[i].name : "site" + std::to_string(i),
                places[i].latitude_micro, places[i].longitude_micro};
  if (random.chance(1, 2)) where.max_rtt = milliseconds(random.between(1, 50));
  if (where.max_rtt == Span{} || random.chance(1, 3))
    where.circle = static_cast<Circle>(random.between(1, 3));
}

void make_unusual(Random& random, JobSpec& spec) {
  if (random.chance(1, 10)) spec.kind = JobKind::service;
  if (random.chance(1, 4))
    spec.nodes = static_cast<std::uint32_t>(random.between(2, 4));
  else if (random.chance(1, 4))
    spec.elements = static_cast<std::uint32_t>(random.between(2, 6));
  if (spec.elements > 1 && spec.kind == JobKind::batch && random.chance(1, 2))
    spec.spread = random.chance(1, 3) ? Spread::site : Spread::network;
  make_alternatives(random, spec);
  make_batch_limits(random, spec);
  if (random.chance(1, 3)) spec.cpu_milli.least = random.between(1, 16) * 500;
  if (random.chance(1, 4)) spec.memory_bytes.least = random.between(1, 64) * gib;
  if (random.chance(1, 8)) spec.network_tier = NetworkTier::rdma;
  if (random.chance(1, 8)) spec.where.regions = {"cn-sh"};
  if (random.chance(1, 6)) make_near(random, spec.where);
  if (random.chance(1, 10)) spec.carbon_max = static_cast<std::uint32_t>(random.between(100, 900));
  spec.objective = static_cast<Objective>(random.below(4U));
}

}  // namespace

JobSpec make_spec(Random& random, ProjectId project, Moment now) {
  JobSpec spec;
  spec.name = "job";
  spec.project = project;
  if (random.chance(1, 4))
    make_usual(random, spec);
  else
    make_unusual(random, spec);
  spec.priority = static_cast<Priority>(random.below(3U));
  if (random.chance(1, 6)) spec.not_before = now + seconds(random.between(-60, 3000));
  if (random.chance(1, 10)) {
    const Moment from = spec.not_before > now ? spec.not_before : now;
    spec.deadline = from + seconds(random.between(1, 1800));
  }
  if (random.chance(1, 6)) {
    const Moment from = spec.not_before > now ? spec.not_before : now;
    spec.deadline = from + minutes(random.between(10, 8 * 60));
    spec.window = random.chance(1, 2) ? Window::cheapest : Window::greenest;
    spec.objective = spec.window == Window::greenest ? Objective::carbon : Objective::cost;
  }
  spec.is_spot = random.chance(1, 4);
  spec.grace = seconds(random.chance(1, 6) ? 0 : random.between(1, 90));
  if (random.chance(1, 3)) {
    spec.partition.replace = true;
    if (!random.chance(1, 6)) spec.partition.lost_after = seconds(random.between(120, 3600));
  }
  spec.retry.on_interruption = random.chance(1, 2);
  spec.retry.on_site_lost = random.chance(1, 2);
  if (random.chance(1, 3)) spec.retry.duration = seconds(random.between(60, 7200));
  spec.payload = {1};
  return spec;
}

Course make_course(Random& random, const JobSpec& spec) {
  Course course;
  course.runs = milliseconds(random.chance(1, 5) ? random.between(0, 5000)
                                                 : random.between(5'000, 2'400'000));
  if (random.chance(1, 6)) course.runs = seconds(random.between(3600, 4 * 3600));
  if (spec.kind == JobKind::service) course.runs = hours(24 * 30);
  if (random.chance(1, 4)) course.exit_code = static_cast<std::int32_t>(random.between(1, 255));
  if (random.chance(1, 12)) course.signal = 11;
  course.term_takes = milliseconds(random.between(0, 20'000));
  course.ignores_term = random.chance(1, 8);
  course.leaks_memory = random.chance(1, 12);
  course.fails_to_launch = random.chance(1, 25);
  return course;
}

}  // namespace suan::sim
