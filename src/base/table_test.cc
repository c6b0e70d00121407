#include "base/table.h"

#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan {
namespace {

// Small and large values live differently in a chunk; both must behave as a map does.
struct Large {
  std::string text;
  std::array<std::uint64_t, 16> weight{};
  friend bool operator==(const Large&, const Large&) = default;
};

std::uint64_t small_value(std::uint64_t n) {
  return n * 3;
}
Large large_value(std::uint64_t n) {
  return {"value " + std::to_string(n), {n}};
}

template <class T, std::size_t chunk_size>
void expect_same(const Table<std::uint64_t, T, chunk_size>& table,
                 const std::map<std::uint64_t, T>& model) {
  ASSERT_EQ(table.size(), model.size());
  auto expected = model.begin();
  for (const auto& [key, value] : table) {
    ASSERT_EQ(key, expected->first);
    ASSERT_EQ(value, expected->second);
    ++expected;
  }
  ASSERT_TRUE(expected == model.end());
  if (!model.empty()) {
    EXPECT_EQ(table.back().first, model.rbegin()->first);
    EXPECT_EQ(table.back().second, model.rbegin()->second);
  }
}

template <class T, std::size_t chunk_size>
void expect_same_neighbours(const Table<std::uint64_t, T, chunk_size>& table,
                            const std::map<std::uint64_t, T>& model, std::uint64_t key) {
  const auto above = model.lower_bound(key);
  const auto from = table.from(key);
  ASSERT_EQ(from == table.end(), above == model.end());
  if (above != model.end()) {
    ASSERT_EQ(from->first, above->first);
  }
  const auto before = table.before(key);
  ASSERT_EQ(before == table.end(), above == model.begin());
  if (above != model.begin()) {
    ASSERT_EQ(before->first, std::prev(above)->first);
  }
  const auto there = model.find(key);
  const T* found = table.find(key);
  ASSERT_EQ(found != nullptr, there != model.end());
  if (found != nullptr) {
    ASSERT_EQ(*found, there->second);
  }
}

/// Random writes on a table and on a map; forks are taken, kept and compared later.
template <class T, std::size_t chunk_size>
void write_at_random(Random& random, T (*value_of)(std::uint64_t)) {
  using Tested = Table<std::uint64_t, T, chunk_size>;
  Tested table;
  std::map<std::uint64_t, T> model;
  std::optional<Tested> fork;
  std::map<std::uint64_t, T> fork_model;
  const std::uint64_t keys = 1 + random.below(400U);
  for (int step = 0; step < 600; ++step) {
    const std::uint64_t key = random.below(keys);
    const T value = value_of(random.below(1000U));
    switch (random.below(8U)) {
      case 0:
      case 1:
      case 2:
        if (!model.contains(key)) {
          EXPECT_EQ(table.insert(key, value), value);
          model.emplace(key, value);
        }
        break;
      case 3:
        table.put(key, value);
        model.insert_or_assign(key, value);
        break;
      case 4:
        if (T* there = table.edit(key)) {
          *there = value;
          model.at(key) = value;
        } else {
          EXPECT_FALSE(model.contains(key));
        }
        break;
      case 5:
      case 6:
        if (model.erase(key) > 0) table.erase(key);
        break;
      case 7:
        if (random.chance(1, 4)) {
          fork = table;
          fork_model = model;
        }
        break;
      default:
        break;
    }
    expect_same_neighbours(table, model, random.below(keys + 2));
  }
  expect_same(table, model);
  if (!fork) return;
  expect_same(*fork, fork_model);
  // The fork is written in its turn, and the other side must not see that.
  for (std::uint64_t key = 0; key < keys; key += 3) fork->put(key, value_of(key));
  expect_same(table, model);
}

TEST(Table, BehavesAsAMapDoesAndItsForksStayAsTheyWere) {
  for_each_seed([](Random& random) {
    write_at_random<std::uint64_t, 4>(random, small_value);
    write_at_random<std::uint64_t, 64>(random, small_value);
    write_at_random<Large, 4>(random, large_value);
    write_at_random<Large, 64>(random, large_value);
  });
}

TEST(Table, AForkSharesLargeValuesUntilOneIsWritten) {
  Table<int, std::pair<std::shared_ptr<int>, std::array<int, 64>>> table;
  const auto shared = std::make_shared<int>(7);
  for (int i = 0; i < 10; ++i) table.insert(i, {shared, {}});
  EXPECT_EQ(shared.use_count(), 11);
  auto fork = table;
  EXPECT_EQ(shared.use_count(), 11);
  fork.edit(3)->second[0] = 1;
  EXPECT_EQ(shared.use_count(), 12);
  EXPECT_EQ(table.at(3).second[0], 0);
  EXPECT_EQ(fork.at(3).second[0], 1);
}

TEST(Table, MovesAndAssignsWhole) {
  Table<int, std::string> table;
  for (int i = 0; i < 200; ++i) table.insert(i, std::to_string(i));
  Table<int, std::string> moved = std::move(table);
  EXPECT_EQ(moved.size(), 200U);
  EXPECT_TRUE(table.empty());  // NOLINT: a moved-from table is empty, and says so.
  table = moved;
  moved.erase(0);
  EXPECT_EQ(table.at(0), "0");
  EXPECT_EQ(moved.find(0), nullptr);
  table = {};
  EXPECT_TRUE(table.begin() == table.end());
}

TEST(TableDeathTest, InsertingTwiceOrErasingWhatIsNotThereIsABug) {
  Table<int, int> table;
  table.insert(1, 1);
  EXPECT_DEATH(table.insert(1, 2), "");
  EXPECT_DEATH(table.erase(2), "");
  EXPECT_DEATH(static_cast<void>(table.at(2)), "");
}

}  // namespace
}  // namespace suan
