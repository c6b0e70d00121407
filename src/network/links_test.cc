#include "network/links.h"

#include <gtest/gtest.h>

namespace suan::network {
namespace {

Moment at_minute(std::int64_t minute) {
  return Moment{} + minutes(1000 + minute);
}

Rtt measured(std::int64_t minute) {
  return {.p50 = milliseconds(1), .p99 = milliseconds(2), .at = at_minute(minute)};
}

TEST(Links, TheNewestCountsBothWays) {
  Links links;
  links.put({2}, {1}, measured(0));
  links.put({1}, {2}, measured(5));
  EXPECT_EQ(links.find({1}, {2})->at, at_minute(5));
  EXPECT_EQ(links.find({2}, {1})->at, at_minute(5));
  EXPECT_TRUE(links.has_any({2}));
  EXPECT_FALSE(links.has_any({3}));
}

TEST(Links, OneThatNobodyMeasuresAnyMoreIsForgotten) {
  Links links;
  links.put({1}, {2}, measured(0));
  links.put({1}, {3}, measured(1));
  links.put({4}, {4}, measured(2));
  links.forget(at_minute(59));
  EXPECT_NE(links.find({2}, {1}), nullptr);
  links.put({2}, {1}, measured(59));  // Counts from now.
  links.forget(at_minute(61));
  EXPECT_NE(links.find({1}, {2}), nullptr);
  EXPECT_EQ(links.find({1}, {3}), nullptr);
  EXPECT_EQ(links.find({3}, {1}), nullptr);
  EXPECT_FALSE(links.has_any({3}));
  EXPECT_NE(links.find({4}, {4}), nullptr);
  links.forget(at_minute(62));
  EXPECT_EQ(links.find({4}, {4}), nullptr);
  links.forget(at_minute(58));  // What was observed later counts.
  EXPECT_FALSE(links.empty());
  links.forget(at_minute(119));
  EXPECT_TRUE(links.empty());
}

TEST(Links, AForkKeepsWhatItHas) {
  Links links;
  links.put({1}, {2}, measured(0));
  const Links fork = links;
  links.forget(at_minute(60));
  EXPECT_TRUE(links.empty());
  EXPECT_NE(fork.find({1}, {2}), nullptr);
}

}  // namespace
}  // namespace suan::network
