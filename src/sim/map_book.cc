#include "sim/map_book.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <tuple>

namespace suan::sim {

namespace {

struct Spot {
  std::int32_t latitude_micro = 0;
  std::int32_t longitude_micro = 0;
};

double kilometres(const Spot& a, const Spot& b) {
  const auto radians = [](double micro) { return micro / 1e6 * std::numbers::pi / 180; };
  const double latitude_a = radians(a.latitude_micro);
  const double latitude_b = radians(b.latitude_micro);
  const double across = std::cos(latitude_a) * std::cos(latitude_b) *
                        std::cos(radians(a.longitude_micro) - radians(b.longitude_micro));
  const double cosine = std::sin(latitude_a) * std::sin(latitude_b) + across;
  return 6371 * std::acos(std::clamp(cosine, -1.0, 1.0));
}

// A round trip in milliseconds over the fibre there probably is.
double estimated_ms(double kilometres) {
  double fibre = kilometres * 1.25;
  if (kilometres <= 1200) fibre = std::min(1500.0, kilometres * 1.5);
  return fibre * 2 / 204 + 0.2;
}

double bound_ms(const Where& where) {
  constexpr std::array<double, 4> circle_ms{1e9, 2, 10, 40};
  const double own = where.max_rtt == Span{} ? 1e9 : static_cast<double>(where.max_rtt.us) / 1000;
  return std::min(own, circle_ms[static_cast<std::size_t>(where.circle)]);
}

}  // namespace

void MapBook::observe_link(SiteId from, SiteId to, const Rtt& rtt) {
  links_[{from, to}] = rtt;
  links_[{to, from}] = rtt;
  pass(rtt.at);
}

// From the site that was named or the closest one within 30 km that has measured.
const Rtt* MapBook::measured(const Near& near, SiteId to) const {
  const Rtt* best = nullptr;
  std::tuple<bool, std::int64_t, SiteId> best_rank;
  for (const auto& [id, site] : sites_) {
    const auto link = links_.find({id, to});
    const double apart = kilometres({near.latitude_micro, near.longitude_micro},
                                    {site.latitude_micro, site.longitude_micro});
    if (link == links_.end() || apart > 30) continue;
    if (link->second.at + hours(1) <= latest_) {
      coverage_.hit(Branch::link_forgotten);
      continue;
    }
    const std::tuple rank{site.name != near.name, std::llround(apart * 100), id};
    if (best != nullptr && best_rank < rank) continue;
    best = &link->second;
    best_rank = rank;
  }
  return best;
}

bool MapBook::allows(const Where& where, SiteId id) {
  if (where.near.name.empty()) return true;
  const double most = bound_ms(where);
  if (const Rtt* rtt = measured(where.near, id)) {
    coverage_.hit(Branch::placed_by_measured_link);
    return static_cast<double>(rtt->p99.us) / 1000 <= most;
  }
  coverage_.hit(Branch::placed_by_estimated_link);
  const Site& site = sites_.at(id);
  const double apart = kilometres({where.near.latitude_micro, where.near.longitude_micro},
                                  {site.latitude_micro, site.longitude_micro});
  return estimated_ms(apart) * 0.999 <= most + 0.001;
}

}  // namespace suan::sim
