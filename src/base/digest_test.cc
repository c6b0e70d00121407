#include "base/digest.h"

#include <string>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan {
namespace {

TEST(Digest, ComesBackFromItsText) {
  for_each_seed([](Random& random) {
    Digest digest;
    for (auto& byte : digest.bytes) byte = static_cast<std::uint8_t>(random.below(256U));
    const std::string text = print_digest(digest);
    EXPECT_EQ(text.size(), 64U);
    EXPECT_EQ(parse_digest(text), digest);
  });
}

TEST(Digest, IsRefusedUnlessItIs64HexadecimalDigits) {
  const std::string good(64, 'a');
  EXPECT_TRUE(parse_digest(good));
  EXPECT_EQ(parse_digest(std::string(64, 'A')), parse_digest(good));
  EXPECT_FALSE(parse_digest(good.substr(1)));
  EXPECT_FALSE(parse_digest(good + "a"));
  EXPECT_FALSE(parse_digest("g" + good.substr(1)));
  EXPECT_FALSE(parse_digest(good.substr(1) + " "));
  EXPECT_FALSE(parse_digest(""));
}

TEST(Digest, HexKeepsEveryBitOfAByte) {
  EXPECT_EQ(print_hex(std::string("\x00\x7f\x80\xff", 4)), "007f80ff");
  EXPECT_EQ(print_hex(""), "");
}

TEST(RequestId, KeepsTheMomentItWasMadeAndComesBackFromItsText) {
  for_each_seed([](Random& random) {
    const std::int64_t unix_ms = random.between(0, (1LL << 47U) - 1);
    const RequestId id = make_request_id(unix_ms, random.next(), random.next());
    EXPECT_EQ(id.unix_ms(), unix_ms);
    const std::string text = print_request_id(id);
    EXPECT_EQ(text.size(), 36U);
    EXPECT_EQ(parse_request_id(text), id);
  });
}

TEST(RequestId, OfALaterMillisecondIsGreater) {
  EXPECT_LT(make_request_id(1, ~0ULL, ~0ULL), make_request_id(2, 0, 0));
}

TEST(RequestId, IsRefusedUnlessItIsVersion7) {
  EXPECT_TRUE(parse_request_id("01932f5e-7b1c-7abc-8def-0123456789ab"));
  EXPECT_TRUE(parse_request_id("01932F5E-7B1C-7ABC-BDEF-0123456789AB"));
  EXPECT_FALSE(parse_request_id("01932f5e-7b1c-4abc-8def-0123456789ab"));  // Version 4.
  EXPECT_FALSE(parse_request_id("01932f5e-7b1c-7abc-cdef-0123456789ab"));  // Another variant.
  EXPECT_FALSE(parse_request_id("01932f5e-7b1c-7abc-8def-0123456789a"));
  EXPECT_FALSE(parse_request_id("01932f5e-7b1c-7abc-8def-0123456789abc"));
  EXPECT_FALSE(parse_request_id("01932f5e07b1c-7abc-8def-0123456789ab"));
  EXPECT_FALSE(parse_request_id("01932f5g-7b1c-7abc-8def-0123456789ab"));
  EXPECT_FALSE(parse_request_id(""));
}

}  // namespace
}  // namespace suan
