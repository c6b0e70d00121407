#include "network/cities.h"

#include <set>

#include <gtest/gtest.h>

#include "network/circle.h"
#include "network/links.h"

namespace suan::network {
namespace {

TEST(Cities, AreKnownByEitherName) {
  const City* city = find_city("上海");
  ASSERT_NE(city, nullptr);
  EXPECT_EQ(city->region, "cn-sh");
  EXPECT_EQ(city->latitude_micro, 31'220'000);
  EXPECT_EQ(city->longitude_micro, 121'480'000);
  for (const char* same : {"上海市", "shanghai", "Shanghai", "SHANGHAI", "shang-hai"})
    EXPECT_EQ(find_city(same), city) << same;
  EXPECT_EQ(find_city("Xi'an"), find_city("西安"));
  EXPECT_EQ(find_city("Hong Kong"), find_city("香港"));
  for (const char* none : {"", "市", "atlantis", "shangha"}) EXPECT_EQ(find_city(none), nullptr);
}

// Every province, autonomous region, municipality and special region has one at least.
TEST(Cities, EveryProvinceHasOne) {
  std::set<std::string_view> regions;
  std::set<std::string_view> names;
  for (const City& city : cities()) {
    regions.insert(city.region);
    EXPECT_TRUE(names.insert(city.name).second) << city.name;
    EXPECT_TRUE(names.insert(city.chinese).second) << city.chinese;
    EXPECT_TRUE(city.latitude_micro > 18'000'000 && city.latitude_micro < 54'000'000) << city.name;
    EXPECT_TRUE(city.longitude_micro > 73'000'000 && city.longitude_micro < 135'100'000)
        << city.name;
  }
  EXPECT_EQ(regions.size(), 34U);
}

TEST(Cities, CoordinatesAreDegrees) {
  const auto at = parse_coordinates("31.22, -121.48");
  ASSERT_TRUE(at);
  EXPECT_EQ(*at, (Near{"31.22, -121.48", 31'220'000, -121'480'000}));
  EXPECT_EQ(parse_coordinates("-90,180")->latitude_micro, -90'000'000);
  for (const char* none : {"31.22", "31.22,", ",1", "91,0", "0,181", "90.1,0", "1.1234567,2", "a,b",
                           "1,2,3", "1e1,2", "--1,2", "1.,2"})
    EXPECT_FALSE(parse_coordinates(none)) << none;
}

TEST(Circles, BoundTheRoundTrip) {
  EXPECT_EQ(one_way_max(Circle::city), milliseconds(1));
  EXPECT_EQ(one_way_max(Circle::region), milliseconds(5));
  EXPECT_EQ(one_way_max(Circle::national), milliseconds(20));
  Where where;
  where.circle = Circle::region;
  EXPECT_EQ(round_trip_max(where), Span{});  // Around nothing.
  where.near.name = "shanghai";
  EXPECT_EQ(round_trip_max(where), milliseconds(10));
  where.max_rtt = milliseconds(7);
  EXPECT_EQ(round_trip_max(where), milliseconds(7));
  where.circle = Circle::city;
  EXPECT_EQ(round_trip_max(where), milliseconds(2));
  where.circle = Circle::none;
  EXPECT_EQ(round_trip_max(where), milliseconds(7));
}

TEST(Links, AreTheSameFromEitherEnd) {
  Links links;
  EXPECT_TRUE(links.empty());
  links.put({2}, {1}, {.p50 = milliseconds(1), .p99 = milliseconds(2), .at = {}});
  links.put({1}, {2}, {.p50 = milliseconds(3), .p99 = milliseconds(4), .at = {}});
  ASSERT_NE(links.find({2}, {1}), nullptr);
  EXPECT_EQ(links.find({2}, {1})->p99, milliseconds(4));
  EXPECT_EQ(links.find({1}, {1}), nullptr);
  EXPECT_TRUE(links.has_any({1}) && links.has_any({2}));
  EXPECT_FALSE(links.has_any({3}));
}

}  // namespace
}  // namespace suan::network
