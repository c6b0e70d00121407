#include "uplink/frames.h"

#include <gtest/gtest.h>

#include "testing/property.h"
#include "wire/bytes.h"

namespace suan::uplink {
namespace {

TEST(Frames, EveryKindIsReadAsItWasPrinted) {
  const auto check = [](const Frame& frame) {
    const auto read = parse_frame(print_frame(frame));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->index(), frame.index());
    EXPECT_EQ(print_frame(*read), print_frame(frame));
  };
  check(Greeting{1, 2, {}});
  check(Challenge{1, "parent", {}, {}, std::string(64, 's')});
  check(Hello{"child", {}, "token", "note", std::string(64, 's')});
  check(Pending{});
  check(Welcome{{Digest{}, Digest{}}});
  check(Ancestry{});
  HostUnit host;
  host.unit = {JobId{1}, 2, 3};
  host.tasks = 5;
  check(host);
  check(Commit{{{JobId{1}, 2, 3}, seconds(4), {}, PayloadId{6}, seconds(9), true}, "payload", 7});
  check(Renewal{{{JobId{1}, 2, 3}, seconds(4), yuan(1)}, 8});
  check(Renewals{{{{{JobId{1}, 2, 3}, seconds(4), yuan(1)}, {{JobId{5}, 0, 1}, {}, {}}}}, 8});
  check(StopTask{{JobId{1}, 2, 3}, 1, AttemptEnd::cancelled, seconds(1)});
  check(LetGo{{JobId{1}, 2, 3}});
  check(OpenStream{std::string(32, 'a'), StreamKind::exec, {JobId{1}, 2, 3}, 4, {}, 5});
  check(Echo{9});
  check(UnitHosted{{JobId{1}, 2, 3}, {Grant{}}});
  check(ConfirmUnit{{JobId{1}, 2, 3}});
  check(UnitConfirmed{{JobId{1}, 2, 3}});
  check(UnitRefused{{JobId{1}, 2, 3}, "no room"});
  check(TaskReport{{JobId{1}, 2, 3}, 1, {}});
  check(OfferPart{"bytes", true});
  check(SupplyReading{PoolId{3}, {}});
  check(Heartbeat{10, milliseconds(3)});
  check(AskWorkdir{{JobId{1}, 2, 3}, std::string(64, 'a'), 4});
  check(AskParent{5, "suan:cn"});
  check(AskChild{6, "suan:cn", PoolId{7}, 1});
  naming::NameAnswer answer;
  answer.record.identifier = "suan:cn/a/b";
  answer.chain.push_back({"suan:cn", "hubei", {}, {}, "s"});
  check(AnswerParent{8, answer});
  check(AnswerChild{9, answer});
  check(AskData{10, PoolId{7}, {"lab", {"hot:a"}}});
  check(AnswerData{11, {"", {{"", 1, 2, 3, seconds(4)}}}});
}

TEST(Frames, SaysWhatItDoesNotKnow) {
  const auto unknown = parse_frame(std::string(1, '\x63'));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, Failure::Kind::unsupported);
  EXPECT_EQ(unknown.error().text, "there is no message of kind 99 in version 4 of the uplink");
  EXPECT_FALSE(parse_frame(""));
  const auto broken = parse_frame("\x0A\xFF");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, Failure::Kind::invalid);
}

/// A heartbeat as a later version may have it.
struct LaterHeartbeat {
  std::uint64_t number = 4;
  std::string more = "something new";
  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(9, "more", self.more);
  }
};

TEST(Frames, SkipsFieldsOfALaterVersion) {
  std::string bytes = print_frame(Heartbeat{});
  bytes = bytes.substr(0, 1) + wire::encode(LaterHeartbeat{.number = 5});
  const auto read = parse_frame(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<Heartbeat>(*read).number, 5U);
}

TEST(Frames, AnyBytesAreReadOrRefused) {
  for_each_seed([](Random& random) {
    std::string bytes(random.below(std::size_t{64}), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256U));
    const auto frame = parse_frame(bytes);
    if (!frame) return;
    const auto again = parse_frame(print_frame(*frame));
    ASSERT_TRUE(again);
    EXPECT_EQ(print_frame(*again), print_frame(*frame));
  });
}

}  // namespace
}  // namespace suan::uplink
