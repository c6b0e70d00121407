#include "network/circle.h"

#include <algorithm>
#include <array>

#include "base/ensure.h"
#include "base/text.h"
#include "network/rows.h"
#include "network/tables.h"

namespace suan::network {

namespace {

using Bounds = std::array<Span, circles.size() + 1>;

Bounds read_bounds() {
  Bounds bounds{};
  for (const auto& row : rows_of<3>(circles_csv)) {
    const auto found = std::ranges::find(circles, row[0]);
    const auto one_way = parse_integer(row[1]);
    ensure(found != circles.end() && one_way && *one_way > 0);
    bounds[static_cast<std::size_t>(found - circles.begin()) + 1] = microseconds(*one_way);
  }
  for (std::size_t i = 1; i < bounds.size(); ++i) ensure(bounds[i] > bounds[i - 1]);
  return bounds;
}

}  // namespace

Span one_way_max(Circle circle) {
  static const Bounds bounds = read_bounds();
  return bounds[static_cast<std::size_t>(circle)];
}

Span round_trip_max(const Where& where) {
  if (!where.near.is_given()) return {};
  const Span circle = one_way_max(where.circle) * 2;
  if (where.max_rtt == Span{} || circle == Span{}) return std::max(where.max_rtt, circle);
  return std::min(where.max_rtt, circle);
}

}  // namespace suan::network
