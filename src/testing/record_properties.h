#pragma once

#include <string>

#include <gtest/gtest.h>

#include "testing/property.h"
#include "wire/json.h"
#include "wire/random_record.h"
#include "wire/schema.h"

/// What must hold for every record, whatever its fields. Test code only.
namespace suan::wire {

/// Values come back from bytes and from JSON as they were. The two codecs check each other: a field
/// that one of them loses differs in the other.
template <Record T>
void expect_round_trips(std::uint64_t seeds = 100) {
  SCOPED_TRACE(type_name<T>());
  for_each_seed(
      [](Random& random) {
        const T value = random_record<T>(random);
        const std::string bytes = encode(value);
        const std::string json = to_json(value);
        const auto from_bytes = decode<T>(bytes);
        ASSERT_TRUE(from_bytes) << json;
        EXPECT_EQ(to_json(*from_bytes), json);
        EXPECT_EQ(encode(*from_bytes), bytes) << json;
        const auto read = from_json<T>(json);
        ASSERT_TRUE(read) << read.error().place << ": " << read.error().text << "\n" << json;
        EXPECT_EQ(to_json(*read), json);
        EXPECT_EQ(encode(*read), bytes) << json;
      },
      seeds);
}

/// Damaged bytes are refused, or are other bytes of some value; never anything else.
template <Record T>
void expect_survives_damage(std::uint64_t seeds = 100) {
  SCOPED_TRACE(type_name<T>());
  for_each_seed(
      [](Random& random) {
        std::string bytes = encode(random_record<T>(random));
        for (std::size_t left = 1 + random.below(std::size_t{4}); left > 0; --left) {
          const std::size_t at = random.below(bytes.size() + 1);
          if (random.chance(1, 3) || at == bytes.size())
            bytes.insert(at, 1, static_cast<char>(random.below(256U)));
          else if (random.chance(1, 2))
            bytes.erase(at, 1 + random.below(std::size_t{4}));
          else
            bytes[at] = static_cast<char>(random.below(256U));
        }
        const auto value = decode<T>(bytes);
        if (!value) return;
        const std::string again = encode(*value);
        const auto same = decode<T>(again);
        ASSERT_TRUE(same);
        EXPECT_EQ(encode(*same), again);
      },
      seeds);
}

}  // namespace suan::wire
