#include <atomic>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "net/server.h"
#include "net/wire_peer.h"

namespace suan::net {
namespace {

constexpr std::string_view get_text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Burst, IsDeliveredWhenItEnds) {
  std::mutex mutex;
  std::vector<Responder> waiting;
  const auto server = Server::start({}, [&](Request&&, Responder responder) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(responder));
  });
  ASSERT_TRUE(server);
  const auto has_both = [&] {
    const std::lock_guard lock(mutex);
    return waiting.size() == 2;
  };
  WirePeer one((*server)->port());
  WirePeer two((*server)->port());
  one.say(get_text);
  two.say(get_text);
  ASSERT_TRUE(becomes_true(has_both));
  std::string heard;
  const auto hears = [&](std::string_view word) {
    return becomes_true([&] {
      heard += one.hear_some(5) + two.hear_some(5);
      return heard.find(word) != std::string::npos;
    });
  };
  {
    const Burst burst;
    {
      const Burst inner;  // Ends with the outer one still there: tells what it has gathered.
      waiting[0].respond({.status = 200, .content_type = "text/plain", .body = "early"});
    }
    EXPECT_TRUE(hears("early"));
    waiting[1].respond({.status = 200, .content_type = "text/plain", .body = "late"});
    EXPECT_EQ(one.hear_some(100) + two.hear_some(100), "");
  }
  EXPECT_TRUE(hears("late"));
}

TEST(Burst, AServerTellsWhenRequestsHaveBeenRouted) {
  std::atomic<int> routes = 0;
  std::atomic<int> told_after = 0;
  const auto server = Server::start(
      {},
      [&](Request&&, Responder responder) {
        ++routes;
        responder.respond({.status = 200, .content_type = "text/plain", .body = "x"});
      },
      [&] { told_after = routes.load(); });
  ASSERT_TRUE(server);
  WirePeer peer((*server)->port());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(peer.ask(get_text).status, 200);
    EXPECT_TRUE(becomes_true([&] { return told_after == i; }));
  }
}

}  // namespace
}  // namespace suan::net
