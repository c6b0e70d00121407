#include "network/position.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "base/random.h"
#include "network/cities.h"
#include "testing/property.h"

namespace suan::network {
namespace {

struct Spot {
  std::int64_t latitude_micro = 0;
  std::int64_t longitude_micro = 0;

  Position position() const { return position_at(latitude_micro, longitude_micro); }
};

Spot random_spot(Random& random) {
  return {random.between(-90'000'000, 90'000'000), random.between(-180'000'000, 180'000'000)};
}

// The haversine formula (Sinnott 1984), in floating point.
double haversine_metres(const Spot& a, const Spot& b) {
  const auto radians = [](std::int64_t micro) {
    return static_cast<double>(micro) / 1e6 * std::numbers::pi / 180;
  };
  const double latitudes = std::sin(radians(b.latitude_micro - a.latitude_micro) / 2);
  const double longitudes = std::sin(radians(b.longitude_micro - a.longitude_micro) / 2);
  const double h = latitudes * latitudes + std::cos(radians(a.latitude_micro)) *
                                               std::cos(radians(b.latitude_micro)) * longitudes *
                                               longitudes;
  return 2 * 6'371'009.0 * std::asin(std::sqrt(std::min(h, 1.0)));
}

std::int64_t kilometres_between(const char* one, const char* other) {
  const City* a = find_city(one);
  const City* b = find_city(other);
  return distance_metres(position_at(a->latitude_micro, a->longitude_micro),
                         position_at(b->latitude_micro, b->longitude_micro)) /
         1000;
}

TEST(Position, DistancesAreThoseOfTheFormula) {
  for_each_seed([](Random& random) {
    const Spot a = random_spot(random);
    Spot b = random_spot(random);
    if (random.chance(1, 2)) {
      b.latitude_micro = std::min(a.latitude_micro + random.between(0, 100'000), INT64_C(90000000));
      b.longitude_micro = a.longitude_micro;
    }
    const std::int64_t metres = distance_metres(a.position(), b.position());
    const double exact = haversine_metres(a, b);
    // Next to the point opposite a rounding of the chord is a way of a hundred metres.
    const double off_max = exact > 19'900'000 ? 400 : 5;
    ASSERT_NEAR(static_cast<double>(metres), exact, off_max);
    ASSERT_EQ(metres, distance_metres(b.position(), a.position()));
    ASSERT_EQ(distance_metres(a.position(), a.position()), 0);
  });
}

// By the distances between airports and city centres in atlases, to about 1 %.
TEST(Position, KnowsHowFarCitiesAreApart) {
  EXPECT_NEAR(static_cast<double>(kilometres_between("beijing", "shanghai")), 1067, 11);
  EXPECT_NEAR(static_cast<double>(kilometres_between("beijing", "guangzhou")), 1890, 20);
  EXPECT_NEAR(static_cast<double>(kilometres_between("shanghai", "hangzhou")), 165, 5);
  EXPECT_NEAR(static_cast<double>(kilometres_between("urumqi", "shanghai")), 3270, 35);
  EXPECT_NEAR(static_cast<double>(kilometres_between("chengdu", "chongqing")), 269, 5);
}

TEST(Position, WhatLiesBeyondTheGlobeIsTakenForItsBound) {
  EXPECT_EQ(position_at(95'000'000, 0), position_at(90'000'000, 0));
  EXPECT_EQ(position_at(0, INT64_MAX), position_at(0, 180'000'000));
  EXPECT_EQ(position_at(0, 180'000'000).x, -(1 << 30));
}

TEST(Position, FartherNeverTakesLess) {
  Span before;
  for (std::int64_t metres = 0; metres < 20'100'000; metres += 997) {
    const Span time = estimated_round_trip(metres);
    ASSERT_GE(time, before) << metres;
    before = time;
  }
}

TEST(Position, FibreIsLongerThanTheAir) {
  EXPECT_EQ(fibre_metres(100'000), 150'000);
  EXPECT_EQ(fibre_metres(1'000'000), 1'500'000);
  EXPECT_EQ(fibre_metres(1'200'000), 1'500'000);
  EXPECT_EQ(fibre_metres(2'000'000), 2'500'000);
  EXPECT_EQ(estimated_round_trip(0), microseconds(200));
  EXPECT_EQ(estimated_round_trip(136'000), microseconds(200 + 2'000));
}

}  // namespace
}  // namespace suan::network
