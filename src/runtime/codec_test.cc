#include "runtime/codec.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "testing/property.h"
#include "wire/bytes.h"
#include "wire/random_record.h"

namespace suan::runtime {
namespace {

template <class... T>
void add_one_of_each(std::variant<T...>*, Random& random, domain::Events& events) {
  (events.emplace_back(wire::random_record<T>(random)), ...);
}

template <class... T>
void check_codes(std::variant<T...>*) {
  std::set<std::uint32_t> codes;
  std::set<std::string> names;
  (codes.insert(T::code), ...);
  (names.insert(T::name), ...);
  EXPECT_EQ(codes.size(), sizeof...(T));
  EXPECT_EQ(names.size(), sizeof...(T));
}

TEST(Codec, EveryEventHasACodeAndANameOfItsOwn) {
  check_codes(static_cast<domain::Event*>(nullptr));
}

TEST(Codec, EveryEventComesBackAsItWas) {
  for_each_seed([](Random& random) {
    domain::Events events;
    add_one_of_each(static_cast<domain::Event*>(nullptr), random, events);
    const std::string bytes = encode_events(events);
    const auto back = decode_events(bytes);
    ASSERT_TRUE(back) << back.error().text;
    ASSERT_EQ(back->size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ((*back)[i].index(), events[i].index());
      EXPECT_STREQ(event_name((*back)[i]), event_name(events[i]));
    }
    EXPECT_EQ(encode_events(*back), bytes);
  });
}

TEST(Codec, ARecordThatIsCutShortIsRefused) {
  for_each_seed([](Random& random) {
    domain::Events events;
    add_one_of_each(static_cast<domain::Event*>(nullptr), random, events);
    const std::string bytes = encode_events(events);
    const std::size_t cut = random.below(bytes.size());
    const auto back = decode_events(std::string_view(bytes).substr(0, cut));
    if (!back) return;
    EXPECT_EQ(encode_events(*back), bytes.substr(0, cut));  // It was cut between two events.
  });
}

TEST(Codec, AnUnknownEventIsRefusedByItsNumber) {
  std::string bytes = encode_events({domain::DomainFounded{"here"}});
  wire::Writer unknown;
  unknown.varint(4711);
  unknown.bytes("what a newer version knows");
  bytes += unknown.written();
  const auto back = decode_events(bytes);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, Failure::Kind::unsupported);
  EXPECT_NE(back.error().text.find("event 4711 is unknown"), std::string::npos);
}

}  // namespace
}  // namespace suan::runtime
