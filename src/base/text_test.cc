#include "base/text.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;

TEST(Text, IntegersAreReadWholeOrNotAtAll) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", " 1", "1 ", "+1", "1.0", "0x1", "9223372036854775808", "-"})
    EXPECT_FALSE(parse_integer(bad)) << bad;
}

TEST(Text, MomentsAreRfc3339) {
  EXPECT_EQ(print_moment({}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(print_moment({1}), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(print_moment({-1}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(parse_moment("2000-02-29T00:00:00Z"), Moment{11'016 * day_us});
  EXPECT_EQ(print_moment(Moment{11'016 * day_us}), "2000-02-29T00:00:00Z");
  EXPECT_EQ(parse_moment("1970-01-02t00:00:00z"), Moment{day_us});
  EXPECT_EQ(parse_moment("1970-01-01 08:00:00+08:00"), Moment{});
  EXPECT_EQ(parse_moment("1969-12-31T23:30:00-00:30"), Moment{});
  EXPECT_EQ(parse_moment("1970-01-01T00:00:00.25Z"), Moment{250'000});
}

TEST(Text, MomentsThatAreNoneAreRefused) {
  for (const char* bad : {"",
                          "2026-11-23",
                          "2026-11-23T08:00Z",
                          "2026-11-23T08:00:00",
                          "2026-13-01T00:00:00Z",
                          "2026-00-01T00:00:00Z",
                          "2026-02-29T00:00:00Z",
                          "1900-02-29T00:00:00Z",
                          "2026-04-31T00:00:00Z",
                          "2026-04-00T00:00:00Z",
                          "2026-11-23T24:00:00Z",
                          "2026-11-23T08:60:00Z",
                          "2026-11-23T08:00:60Z",
                          "2026-11-23T08:00:00.Z",
                          "2026-11-23T08:00:00.1234567Z",
                          "2026-11-23T08:00:00+24:00",
                          "2026-11-23T08:00:00+8:00",
                          "2026-11-23T08:00:00Zulu",
                          "0000-01-01T00:00:00Z",
                          "26-11-23T08:00:00Z"})
    EXPECT_FALSE(parse_moment(bad)) << bad;
}

TEST(Text, MomentsComeBackFromTheirText) {
  for_each_seed(
      [](Random& random) {
        // The years 1 to 9999.
        const Moment moment{random.between(-62'135'596'800'000'000, 253'402'300'799'999'999)};
        EXPECT_EQ(parse_moment(print_moment(moment)), moment) << print_moment(moment);
      },
      2000);
}

// Each day has the text that follows that of the day before, over a leap cycle of 400 years.
TEST(Text, EveryDayHasItsDate) {
  std::string before = print_moment(Moment{-day_us});
  for (std::int64_t day = 0; day < 400 * 366; ++day) {
    const std::string text = print_moment(Moment{day * day_us});
    ASSERT_LT(before, text);
    const bool is_first = text.substr(8, 2) == "01";
    const int last = std::stoi(before.substr(8, 2));
    ASSERT_EQ(std::stoi(text.substr(8, 2)), is_first ? 1 : last + 1) << text;
    ASSERT_TRUE(!is_first || last >= 28) << text;
    before = text;
  }
}

TEST(Text, SpansPrintShortAndComeBack) {
  EXPECT_EQ(print_span({}), "0s");
  EXPECT_EQ(print_span(milliseconds(250)), "250ms");
  EXPECT_EQ(print_span(minutes(90)), "1h30m");
  EXPECT_EQ(print_span(hours(7 * 24)), "7d");
  EXPECT_EQ(print_span(Span{} - seconds(5)), "-5s");
  EXPECT_EQ(parse_span("1h30m"), minutes(90));
  EXPECT_EQ(parse_span("1.5h"), minutes(90));
  EXPECT_EQ(parse_span("2w"), hours(14 * 24));
  EXPECT_EQ(parse_span("0"), Span{});
  EXPECT_EQ(parse_span("0.000001s"), Span{1});
  for_each_seed([](Random& random) {
    const Span span{static_cast<std::int64_t>(random.next() >> random.between(13, 62))};
    if (span <= hours(100LL * 366 * 24)) {
      EXPECT_EQ(parse_span(print_span(span)), span);
    }
  });
}

TEST(Text, SpansWithoutAUnitOrWithAnUnknownOneAreRefused) {
  for (const char* bad : {"", "1", "90", "s", "1x", "-1s", "1 h", "0.0000001s", "1h 30m", "h1",
                          "36601d", "1000000000000000000000000000s"})
    EXPECT_FALSE(parse_span(bad)) << bad;
  EXPECT_TRUE(parse_span("36600d"));
}

TEST(Text, MoneyPrintsExactlyAndComesBack) {
  EXPECT_EQ(print_money({}), "0");
  EXPECT_EQ(print_money({12'500'000}), "12.5");
  EXPECT_EQ(print_money({1}), "0.000001");
  EXPECT_EQ(print_money({-3'000'000}), "-3");
  EXPECT_EQ(print_money({-500'000}), "-0.5");
  EXPECT_EQ(print_money({INT64_MIN}), "-9223372036854.775808");
  for_each_seed([](Random& random) {
    const auto micro =
        static_cast<std::int64_t>(random.next() >> random.between(1, 63)) % 1'000'000'000'000'000;
    const Money money{random.chance(1, 2) ? micro : -micro};
    EXPECT_EQ(parse_money(print_money(money)), money);
  });
}

TEST(Text, MoneyFinerThanAMicroYuanOrBeyondATrillionIsRefused) {
  EXPECT_EQ(parse_money("1000000000000"), yuan(1'000'000'000'000));
  for (const char* bad :
       {"", "-", "1,5", "1.", ".5", "1.0000001", "1000000000001", "1e3", " 1", "1 ", "--1", "+1"})
    EXPECT_FALSE(parse_money(bad)) << bad;
}

TEST(Text, BytesPrintWithTheLargestExactUnit) {
  EXPECT_EQ(print_bytes(0), "0B");
  EXPECT_EQ(print_bytes(17), "17B");
  EXPECT_EQ(print_bytes(512'000'000'000), "512GB");
  EXPECT_EQ(print_bytes(1LL << 30U), "1GiB");
  EXPECT_EQ(parse_bytes("1.5 GiB"), 1536LL << 20U);
  EXPECT_EQ(parse_bytes("1.5GB"), 1'500'000'000);
  EXPECT_EQ(parse_bytes("12"), 12);
  EXPECT_EQ(parse_bytes("1000000000000MB"), 1'000'000'000'000'000'000);
  for (const char* bad : {"", "GB", "1.5B", "1.5", "1 gb", "-1GB", "1GBB", "1000000000001MB"})
    EXPECT_FALSE(parse_bytes(bad)) << bad;
  for_each_seed([](Random& random) {
    const auto bytes = static_cast<std::int64_t>(random.next() >> random.between(5, 62));
    if (bytes <= 1'000'000'000'000'000'000) {
      EXPECT_EQ(parse_bytes(print_bytes(bytes)), bytes);
    }
  });
}

TEST(Text, TheNearestWordIsOneThatMayBeMeant) {
  constexpr std::array<std::string_view, 4> words{"nodes", "name", "memory", "max_duration"};
  EXPECT_EQ(nearest("node", words), "nodes");
  EXPECT_EQ(nearest("memroy", words), "memory");
  EXPECT_EQ(nearest("max_durations", words), "max_duration");
  EXPECT_EQ(nearest("nam", words), "name");
  EXPECT_EQ(nearest("xyz", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("name", {}), "");
}

}  // namespace
}  // namespace suan
