#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "net/client.h"
#include "net/server.h"
#include "net/sse.h"
#include "net/wire_peer.h"

namespace suan::net {
namespace {

constexpr std::string_view get_text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// A server that hands each request's stream to the test.
struct StreamServer {
  std::mutex mutex;
  std::vector<StreamWriter> writers;
  std::unique_ptr<Server> server;

  explicit StreamServer(ServerOptions options = {}) {
    auto started = Server::start(std::move(options), [this](Request&&, Responder responder) {
      StreamWriter writer =
          responder.stream(200, "text/event-stream", {{"Cache-Control", "no-store"}});
      const std::lock_guard lock(mutex);
      writers.push_back(std::move(writer));
    });
    server = std::move(*started);
  }

  StreamWriter next() {
    StreamWriter writer;
    becomes_true([&] {
      const std::lock_guard lock(mutex);
      if (writers.empty()) return false;
      writer = std::move(writers.front());
      writers.erase(writers.begin());
      return true;
    });
    return writer;
  }
};

TEST(Stream, PiecesArriveAsTheyAreWrittenAndTheEndIsSeen) {
  StreamServer streams;
  WirePeer peer(streams.server->port());
  peer.say(get_text);
  StreamWriter writer = streams.next();
  const std::string head = peer.hear_some();
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(head.find("Cache-Control: no-store\r\n"), std::string::npos);
  EXPECT_TRUE(writer.write("hello"));
  EXPECT_EQ(peer.hear_some(), "5\r\nhello\r\n");
  EXPECT_TRUE(writer.write("x"));
  EXPECT_EQ(peer.hear_some(), "1\r\nx\r\n");
  EXPECT_TRUE(writer.is_open());
  writer.close();
  EXPECT_FALSE(writer.is_open());
  EXPECT_FALSE(writer.write("y"));
  EXPECT_EQ(peer.hear_all(), "0\r\n\r\n");
  EXPECT_TRUE(peer.is_closed());
}

TEST(Stream, WhatIsWrittenBeforeTheRouteReturnsIsSent) {
  const auto server = Server::start({}, [](Request&&, Responder responder) {
    StreamWriter writer = responder.stream(202, "text/plain");
    for (const char* piece : {"a", "b", "c"}) EXPECT_TRUE(writer.write(piece));
  });
  ASSERT_TRUE(server);
  WirePeer peer((*server)->port());
  const Response answer = peer.ask(get_text);
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "abc");
}

TEST(Stream, EveryByteArrivesInOrderFromAnotherThread) {
  StreamServer streams({.stream_buffer_bytes_max = 64U << 20U});
  std::string heard;
  std::string sent;
  std::thread writing([&] {
    StreamWriter writer = streams.next();
    for (int i = 0; i < 20000; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      sent += line;
      ASSERT_TRUE(writer.write(line));
    }
  });
  Client client("http://127.0.0.1:" + std::to_string(streams.server->port()));
  const auto answer = client.stream({}, {.on_bytes = [&](std::string_view piece) {
                                      heard += piece;
                                      return true;
                                    }});
  writing.join();
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(heard == sent);
}

TEST(Stream, ASlowReaderIsCutAndHoldsNoMemory) {
  StreamServer streams({.stream_buffer_bytes_max = 100'000});
  WirePeer peer(streams.server->port());
  peer.say(get_text);
  StreamWriter writer = streams.next();
  const std::string piece(10'000, 'x');
  std::size_t written = 0;
  while (writer.write(piece)) {
    written += piece.size();
    ASSERT_LT(written, 64U << 20U);  // The system's own buffers are far smaller.
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  EXPECT_FALSE(writer.is_open());
  EXPECT_FALSE(writer.write("x"));
  // Cut at once, long before the write timeout of 30 s.
  EXPECT_TRUE(becomes_true([&] { return streams.server->connections() == 0; }));
  EXPECT_EQ(peer.hear().status, 0);  // Unfinished, and the client can tell.
}

TEST(Stream, AWriterThatAsksForRoomGoesAtTheReadersPace) {
  constexpr std::size_t whole = 8U << 20U;
  StreamServer streams({.stream_buffer_bytes_max = 100'000});
  WirePeer peer(streams.server->port());
  peer.say(get_text);
  StreamWriter writer = streams.next();
  std::atomic<int> calls = 0;
  writer.on_room([&] { ++calls; });
  const std::string piece(10'000, 'x');
  std::size_t written = 0;
  while (writer.has_room(piece.size())) {
    ASSERT_TRUE(writer.write(piece));
    written += piece.size();
    ASSERT_LT(written, 64U << 20U);
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  EXPECT_TRUE(writer.is_open());
  EXPECT_EQ(calls, 0);  // Nobody reads.
  std::size_t heard = peer.hear_some().size();
  for (int seen = 0; written < whole; seen = calls) {
    ASSERT_TRUE(becomes_true([&] {
      heard += peer.hear_some(0).size();
      return calls > seen;
    }));
    while (written < whole && writer.has_room(piece.size())) {
      ASSERT_TRUE(writer.write(piece));
      written += piece.size();
    }
  }
  writer.close();
  heard += peer.hear_all().size();
  EXPECT_GE(heard, written);
}

TEST(Stream, AWriterThatWaitsForRoomIsToldThatTheClientHasGone) {
  StreamServer streams({.stream_buffer_bytes_max = 100'000});
  std::atomic<bool> is_told = false;  // The system may take all while the client is still there.
  StreamWriter writer;
  {
    WirePeer peer(streams.server->port());
    peer.say(get_text);
    writer = streams.next();
    writer.on_room([&] { is_told = is_told || !writer.is_open(); });
    while (writer.has_room(10'000)) writer.write(std::string(10'000, 'x'));
  }
  EXPECT_TRUE(becomes_true([&] { return is_told.load(); }));
  EXPECT_FALSE(writer.has_room(1));
}

TEST(Stream, AReaderWhoTakesSomeNowAndThenIsNotCut) {
  constexpr std::size_t whole = 32U << 20U;  // Far more than is read, or than the system holds.
  // A busy machine may stand still for some seconds.
  StreamServer streams({.stream_buffer_bytes_max = whole, .write_timeout = seconds(4)});
  WirePeer peer({.host = "127.0.0.1", .port = streams.server->port()}, 256 << 10);
  peer.say(get_text);
  StreamWriter writer = streams.next();
  ASSERT_TRUE(writer.write(std::string(whole, 'x')));
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begun < std::chrono::seconds(6)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (int piece = 0; piece < 4; ++piece) ASSERT_FALSE(peer.hear_some().empty());
    ASSERT_TRUE(writer.is_open());
  }
  EXPECT_TRUE(becomes_true([&] { return !writer.is_open(); }));  // Now it takes no more.
}

TEST(Stream, AClientThatLeavesIsNoticedWithoutWriting) {
  StreamServer streams;
  StreamWriter writer;
  {
    WirePeer peer(streams.server->port());
    peer.say(get_text);
    writer = streams.next();
    peer.hear_some();
    EXPECT_TRUE(writer.is_open());
  }
  EXPECT_TRUE(becomes_true([&] { return !writer.is_open(); }));
  EXPECT_FALSE(writer.write("x"));
  EXPECT_TRUE(becomes_true([&] { return streams.server->connections() == 0; }));
}

TEST(Stream, AFloodFromAStreamsClientEndsIt) {
  StreamServer streams;
  WirePeer peer(streams.server->port());
  peer.say(get_text);
  const StreamWriter writer = streams.next();
  peer.say("some is let pass");
  peer.hear_some();
  EXPECT_TRUE(writer.is_open());
  peer.say(std::string(1U << 20U, 'x'));
  EXPECT_TRUE(becomes_true([&] { return !writer.is_open(); }));
}

TEST(Stream, StoppingTheServerEndsStreamsInGoodOrder) {
  StreamServer streams;
  WirePeer peer(streams.server->port());
  peer.say(get_text);
  StreamWriter writer = streams.next();
  peer.hear_some();
  EXPECT_TRUE(writer.write("last words"));
  streams.server->stop(seconds(5));
  EXPECT_EQ(peer.hear_all(), "a\r\nlast words\r\n0\r\n\r\n");
  EXPECT_FALSE(writer.is_open());
  EXPECT_FALSE(writer.write("x"));
}

TEST(Stream, HeadAndOldClientsAreServedToo) {
  StreamServer streams;
  WirePeer head(streams.server->port());
  head.say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  StreamWriter unheard = streams.next();
  EXPECT_TRUE(head.hear_all().ends_with("\r\n\r\n"));
  EXPECT_TRUE(becomes_true([&] { return !unheard.is_open(); }));
  WirePeer old(streams.server->port());
  old.say("GET / HTTP/1.0\r\n\r\n");
  StreamWriter writer = streams.next();
  EXPECT_TRUE(writer.write("plain"));
  writer.close();
  const std::string all = old.hear_all();
  EXPECT_TRUE(all.ends_with("\r\n\r\nplain")) << all;
  EXPECT_EQ(all.find("chunked"), std::string::npos);
}

TEST(Stream, EventsTravelFromServerToClient) {
  StreamServer streams;
  std::thread writing([&] {
    StreamWriter writer = streams.next();
    for (int i = 1; i <= 100; ++i) {
      EXPECT_TRUE(writer.write(print_event({.id = std::to_string(i),
                                            .event = "job",
                                            .data = "{\n\"n\": " + std::to_string(i) + "}"})));
      if (i % 10 == 0) {
        EXPECT_TRUE(writer.write(sse_keep_alive()));
      }
    }
  });
  Client client("http://127.0.0.1:" + std::to_string(streams.server->port()));
  SseParser parser;
  int heard = 0;
  Callback<bool(const SseEvent&)> on_event = [&](const SseEvent& event) {
    ++heard;
    EXPECT_EQ(event.id, std::to_string(heard));
    EXPECT_EQ(event.data, "{\n\"n\": " + std::to_string(heard) + "}");
    return heard < 90;
  };
  const auto answer = client.stream({}, {.on_bytes = [&](std::string_view piece) {
                                      return parser.feed(piece, on_event) && heard < 90;
                                    }});
  writing.join();
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->content_type, "text/event-stream");
  EXPECT_EQ(heard, 90);
  EXPECT_EQ(parser.last_id(), "90");
}

TEST(Stream, AWriterTakesAnothersPlace) {
  StreamServer streams;
  WirePeer a(streams.server->port());
  WirePeer b(streams.server->port());
  a.say(get_text);
  StreamWriter writer = streams.next();
  b.say(get_text);
  writer = streams.next();  // The first ends in good order.
  EXPECT_TRUE(a.hear_all().ends_with("0\r\n\r\n"));
  EXPECT_TRUE(writer.write("x"));
}

}  // namespace
}  // namespace suan::net
