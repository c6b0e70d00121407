// Prices and hours: prices and carbon that change with them, and work that waits for a better one.
#include <algorithm>

#include "sim/books.h"

namespace suan::sim {

using jobs::Phase;

namespace {

constexpr std::int64_t hour_us = hours(1).us;
__extension__ using Wide = __int128;

std::uint32_t value_at(const Hourly& hourly, Moment at) {
  const std::int64_t us = at.us - hourly.from.us;
  std::int64_t hour = us >= 0 ? us / hour_us : -((hour_us - 1 - us) / hour_us);
  const std::int64_t given = std::ssize(hourly.values);
  while (hour < 0) hour += 24;
  while (hour >= given) hour -= 24;
  return hourly.values[static_cast<std::size_t>(hour)];
}

// Hour by hour, each by its value.
Wide sum_over(const Hourly& hourly, Moment from, Span span) {
  Wide sum = 0;
  const Moment end = from + span;
  for (Moment at = from; at < end;) {
    const std::int64_t into = ((at.us - hourly.from.us) % hour_us + hour_us) % hour_us;
    const Moment next = std::min(end, at + Span{hour_us - into});
    sum += Wide{value_at(hourly, at)} * (next - at).us;
    at = next;
  }
  return sum;
}

}  // namespace

std::int64_t rounded(std::int64_t amount, std::int64_t numerator, std::int64_t denominator) {
  const Wide twice = Wide{amount} * numerator * 2 + denominator;
  return static_cast<std::int64_t>(twice / (Wide{denominator} * 2));
}

void LifeBook::check_price(const jobs::UnitPlaced& event, const Job& own) {
  const Pool* pool = leases_.pool(event.placement.pool);
  if (!check(pool != nullptr && pool->state == ServingState::production, "closed pool",
             "placed on a pool that takes nothing new"))
    return;
  const Alternative& chosen = own.spec->alternatives[event.placement.alternative];
  check(chosen.chip.empty()
            ? event.placement.need.card_milli == 0
            : pool->chip == chosen.chip && event.placement.need.card_milli >= chosen.card_milli,
        "placement",
        "not what alternative " + std::to_string(event.placement.alternative) + " asks for");
  if (event.placement.alternative > 0) coverage_.hit(Branch::second_alternative);
  const bool is_spot = own.spec->is_spot;
  check(!is_spot || pool->spot_milli > 0, "spot", "the pool takes no spot work");
  const auto part = [&](Money price, std::int64_t milli) {
    return rounded(is_spot ? rounded(price.micro, pool->spot_milli, 1000) : price.micro, milli,
                   1000);
  };
  const std::int64_t hourly = part(pool->price.card_hour, event.placement.need.card_milli) +
                              part(pool->price.core_hour, event.placement.need.cpu_milli);
  check(event.placement.hourly.micro == hourly && event.placement.rates == pool->rates, "price",
        "not the pool's price");
  const Money limit = own.spec->hourly_max;
  check(limit == Money{} ||
            hourly_now(*pool, event.placement.need, is_spot) * own.spec->tasks() <= limit.micro,
        "hourly_max", "dearer than its user allows");
  const Site* site = map_.site(pool->site);
  const std::int64_t grams = site == nullptr                 ? 0
                             : site->carbon_hours.is_given() ? value_at(site->carbon_hours, hour_)
                                                             : site->carbon_g_per_kwh;
  check(own.spec->carbon_max == 0 ||
            (grams > 0 && grams * site->pue_milli <= std::int64_t{own.spec->carbon_max} * 1000),
        "max_carbon", "dirtier than its user allows");
  check(map_.allows(own.spec->where, pool->site), "max_rtt", "farther than its user allows");
}

void LifeBook::seen(const catalogue::HourTurned& event) {
  const Moment last = Moment{at_.us / hour_us * hour_us};
  check(event.hour == last || event.hour == Moment{}, "hour", "another hour begins than this one");
  check(event.hour != hour_, "hour", "an hour begins twice");
  hour_ = event.hour;
  if (hour_ != Moment{}) coverage_.hit(Branch::hour_turned);
}

// What a task costs for an hour of this one.
std::int64_t LifeBook::hourly_now(const Pool& pool, const Need& need, bool is_spot) const {
  const std::int64_t rate = pool.rates.is_given() ? value_at(pool.rates, hour_) : 1000;
  const auto part = [&](Money price, std::int64_t milli) {
    const std::int64_t list = rounded(price.micro, rate, 1000);
    return rounded(is_spot ? rounded(list, pool.spot_milli, 1000) : list, milli, 1000);
  };
  return part(pool.price.card_hour, need.card_milli) + part(pool.price.core_hour, need.cpu_milli);
}

// The time that a task is charged for, as far as this domain can know it.
Span LifeBook::charged_time(const jobs::TaskEnded& event, const Job& own, Unit& ended) {
  const Hourly& rates = ended.placement.rates;
  const Span wall = event.usage.wall;
  if (!rates.is_given()) return wall;
  const std::string who = print_key(event.key);
  const Pool* pool = leases_.pool(ended.placement.pool);
  if (pool != nullptr && pool->remote) {
    const Wide most = Wide{wall.us} * std::ranges::max(rates.values) / 1000 + 1;
    check(event.usage.priced >= Span{} && event.usage.priced.us <= most, "charge",
          who + " is charged for more than the dearest hours");
    return event.usage.priced;
  }
  const std::uint32_t index = event.key.task % own.spec->nodes;
  Moment& started = ended.started[index];  // Heard of late, or never, by one that was away.
  if (started == Moment{} || started < ended.launched)
    started = ended.launched;
  else if (at_ - wall < started)
    started = std::max(at_ - wall, ended.launched);
  const auto charged = static_cast<std::int64_t>((sum_over(rates, started, wall) + 500) / 1000);
  check(event.usage.priced.us == charged, "charge", who + " is charged for other hours");
  coverage_.hit(Branch::charged_by_the_hour);
  return {charged};
}

// Whether an attempt may cost more than was set aside for it: rates by another clock, or of a later
// start than was thought of.
bool LifeBook::may_be_dearer(const Job& own, const Unit& ended) const {
  const jobs::Placement& placement = ended.placement;
  if (!placement.rates.is_given()) return false;
  const Pool* pool = leases_.pool(placement.pool);
  if (own.is_guest || pool == nullptr || pool->remote) return true;
  if (placement.starts_by == Moment{}) return false;
  return std::ranges::any_of(ended.started, [&](Moment at) { return at > placement.starts_by; });
}

void LifeBook::seen(const jobs::UnitPutOff& event) {
  Unit* own = unit(event.unit);
  if (own == nullptr) return;
  const std::string who = print_key(event.unit);
  const JobSpec& spec = *jobs_.at(event.unit.job).spec;
  const jobs::PutOff& put_off = event.put_off;
  check(own->phase == Phase::waiting && own->attempt == 0 && spec.window != Window::none, "window",
        who + " is put off out of turn");
  check(put_off.until > at_ && put_off.until <= spec.deadline, "window",
        who + " is put off past its deadline");
  check(put_off.then < put_off.now, "window", who + " is put off for nothing");
  own->is_queued = false;
  own->put_off = put_off.until;
  coverage_.hit(spec.window == Window::greenest ? Branch::put_off_for_carbon
                                                : Branch::put_off_for_cost);
  const Pool* pool = leases_.pool(put_off.pool);
  if (pool == nullptr || put_off.pool != put_off.pool_now) return;
  const Site* site = map_.site(pool->site);
  const Hourly& hourly = spec.window == Window::cheapest ? pool->rates : site->carbon_hours;
  if (!check(hourly.is_given(), "window", who + " waits where all hours are alike")) return;
  const Span run = spec.max_duration == Span{} ? hours(1) : spec.max_duration;
  check(sum_over(hourly, put_off.until, run) < sum_over(hourly, at_, run), "window",
        who + " is put off to hours that are no better");
}

}  // namespace suan::sim
