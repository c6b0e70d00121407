#include "base/fingerprint.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/id.h"
#include "base/money.h"
#include "base/time.h"

namespace suan {
namespace {

enum class Colour : std::uint8_t { red, green };

struct Paint {
  Colour colour = Colour::red;
  std::string name;
  std::vector<std::string> tags;
  Money price;
  Span dries;
  Id<struct PaintTag> id;

  static void fields(auto&& visit, auto& self) {
    visit(1, "colour", self.colour);
    visit(2, "name", self.name);
    visit(3, "tags", self.tags);
    visit(4, "price", self.price);
    visit(5, "dries", self.dries);
    visit(6, "id", self.id);
  }
};

std::uint64_t print_of(const auto& value) {
  Fingerprint print;
  print.add(value);
  return print.value();
}

TEST(Fingerprint, OfEqualRecordsIsEqualAndEveryFieldCounts) {
  const Paint paint{Colour::red, "ochre", {"dry"}, yuan(3), hours(2), {7}};
  std::vector<Paint> others(6, paint);
  others[0].colour = Colour::green;
  others[1].name = "ochra";
  others[2].tags = {"wet"};
  others[3].price = yuan(4);
  others[4].dries = hours(3);
  others[5].id = {8};
  std::set<std::uint64_t> prints{print_of(paint)};
  for (const Paint& other : others) prints.insert(print_of(other));
  EXPECT_EQ(prints.size(), 7U);
  EXPECT_EQ(print_of(paint), print_of(Paint(paint)));
}

// Where one text ends and the next begins is part of the value.
TEST(Fingerprint, SeesWhereTextsAndListsEnd) {
  using Words = std::vector<std::string>;
  const std::vector<Words> all{{},           {""},           {"ab"},          {"a", "b"},
                               {"b", "a"},   {"", "ab"},     {"ab", ""},      {"a\0b"},
                               {"12345678"}, {"1234567890"}, {"12345678", ""}};
  std::set<std::uint64_t> prints;
  for (const Words& words : all) prints.insert(print_of(words));
  EXPECT_EQ(prints.size(), all.size());
}

TEST(Fingerprint, DependsOnTheOrderOfWhatIsAdded) {
  Fingerprint one;
  one.add(1);
  one.add(2);
  Fingerprint two;
  two.add(2);
  two.add(1);
  EXPECT_NE(one.value(), two.value());
}

}  // namespace
}  // namespace suan
