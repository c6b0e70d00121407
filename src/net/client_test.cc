#include "net/client.h"

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "net/wire_peer.h"

namespace suan::net {
namespace {

Request get(std::string path) {
  Request request;
  request.path = std::move(path);
  return request;
}

Request post(std::string path, std::string body) {
  Request request = get(std::move(path));
  request.method = Method::post;
  request.body = std::move(body);
  return request;
}

// Hears a whole request with a body of `body_bytes`.
std::string hear_request(WirePeer& peer, std::size_t body_bytes = 0) {
  std::string all;
  while (true) {
    const std::size_t end = all.find("\r\n\r\n");
    if (end != all.npos && all.size() >= end + 4 + body_bytes) return all;
    const std::string some = peer.hear_some();
    if (some.empty()) return all;
    all += some;
  }
}

constexpr std::string_view ok =
    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok";

TEST(Client, WritesTheRequestAndReadsTheAnswer) {
  WireListener listener;
  std::string heard;
  std::thread server([&] {
    WirePeer peer(listener.accept());
    heard = hear_request(peer, 4);
    peer.say(ok);
  });
  Client client(listener.place());
  Request request = post("/v1/a b", "body");
  request.query = {{"x", "1&2"}};
  request.headers = {{"Authorization", "Bearer k"}};
  const auto answer = client.send(request);
  server.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->content_type, "a/b");
  EXPECT_EQ(answer->body, "ok");
  EXPECT_EQ(heard, "POST /v1/a%20b?x=1%262 HTTP/1.1\r\nHost: 127.0.0.1:" +
                       std::to_string(listener.port()) +
                       "\r\nAuthorization: Bearer k\r\nContent-Length: 4\r\n\r\nbody");
}

TEST(Client, KeepsTheConnectionAndReplacesAStaleOne) {
  WireListener listener;
  std::atomic<int> accepted = 0;
  std::thread server([&] {
    for (int i = 0; i < 2; ++i) {
      WirePeer peer(listener.accept());
      ++accepted;
      for (int n = 0; n < 2; ++n) {
        hear_request(peer);
        peer.say(ok);
      }
    }
  });
  Client client(listener.place());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.send(get("/")));
  EXPECT_EQ(accepted, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // The server closes it.
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.send(post("/", "")));
  EXPECT_EQ(accepted, 2);
  server.join();
}

TEST(Client, RepeatsOnlyWhatIsSafeToRepeat) {
  for (const bool is_get : {true, false}) {
    WireListener listener;
    std::thread server([&] {
      {
        WirePeer peer(listener.accept());
        hear_request(peer);
        peer.say(ok);
        hear_request(peer);  // Taken, and never answered.
      }
      if (!is_get) return;
      WirePeer peer(listener.accept());
      hear_request(peer);
      peer.say(ok);
    });
    Client client(listener.place());
    EXPECT_TRUE(client.send(get("/")));
    const auto answer = client.send(is_get ? get("/") : post("/", ""));
    server.join();
    EXPECT_EQ(answer.has_value(), is_get);
    if (!is_get) {
      EXPECT_EQ(answer.error().kind, Failure::Kind::unavailable);
    }
  }
}

TEST(Client, SaysWhatToDoWhenNobodyListens) {
  std::string place;
  {
    WireListener gone;
    place = gone.place();
  }
  Client client(place);
  const auto answer = client.send(get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Failure::Kind::unavailable);
  EXPECT_EQ(answer.error().text, "nobody listens at " + place + ": is `suan serve` running?");
  EXPECT_FALSE(Client("unix:/nonexistent/suan.sock").send(get("/")));
}

TEST(Client, RefusesBadPlacesAndForgedFields) {
  for (const char* place : {"", "localhost:80", "ftp://a", "http://127.0.0.1:1/base",
                            "unix:relative", "https://127.0.0.1/base"}) {
    const auto answer = Client(place).send(get("/"));
    ASSERT_FALSE(answer) << place;
    EXPECT_TRUE(answer.error().kind == Failure::Kind::invalid ||
                answer.error().kind == Failure::Kind::unsupported);
  }
  WireListener listener;
  Client client(listener.place());
  Request request = get("/");
  request.headers.add("X", "a\r\nY: b");
  EXPECT_EQ(client.send(request).error().kind, Failure::Kind::invalid);
  Request target = get("");
  target.target = "/a b";
  EXPECT_EQ(client.send(target).error().kind, Failure::Kind::invalid);
}

TEST(Client, GivesUpInTime) {
  WireListener listener;  // Accepts in the kernel and never answers.
  Client client(listener.place(), {.answer_timeout = milliseconds(60)});
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = client.send(get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Failure::Kind::unavailable);
  EXPECT_EQ(answer.error().text, "no answer from " + listener.place() + " in time");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

TEST(Client, HearsARefusalBeforeItsBodyIsThrough) {
  WireListener listener;
  std::thread server([&] {
    WirePeer peer(listener.accept());
    peer.hear_some();
    peer.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    peer.is_closed(1000);  // Takes what is on its way; the connection may be kept.
  });
  Client client(listener.place());
  const auto answer = client.send(post("/", std::string(32U << 20U, 'x')));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 413);
  server.join();
}

TEST(Client, RefusesAnswersThatAreMalformedOrTooLarge) {
  WireListener listener;
  std::thread server([&] {
    for (const char* text :
         {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789",
          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12"}) {
      WirePeer peer(listener.accept());
      hear_request(peer);
      peer.say(text);
    }
  });
  Client client(listener.place(), {.body_bytes_max = 8});
  EXPECT_EQ(client.send(get("/")).error().kind, Failure::Kind::invalid);
  EXPECT_EQ(client.send(get("/")).error().kind, Failure::Kind::no_space);
  EXPECT_EQ(client.send(get("/")).error().kind, Failure::Kind::unavailable);
  server.join();
}

TEST(Client, StreamsPiecesAsTheyCome) {
  WireListener listener;
  std::thread server([&] {
    WirePeer peer(listener.accept());
    hear_request(peer);
    peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    EXPECT_EQ(peer.hear_some(50), "");
    peer.say("2\r\nbc\r\n0\r\n\r\n");
    hear_request(peer);
    peer.say("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!");
    hear_request(peer);
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx");
  });
  Client client(listener.place(), {.body_bytes_max = 2});
  std::string all;
  const auto reader = [&] {
    return StreamReader{.on_bytes = [&](std::string_view piece) {
      all += piece;
      return true;
    }};
  };
  const auto answer = client.stream(get("/"), reader());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(all, "abc");
  EXPECT_EQ(answer->body, "");
  EXPECT_EQ(client.stream(get("/"), reader()).error().kind, Failure::Kind::no_space);
  server.join();
}

std::atomic<int> signals_seen = 0;

TEST(Client, ASignalLetsTheReaderStopAStream) {
  struct sigaction action{};
  action.sa_handler = [](int) { ++signals_seen; };
  sigaction(SIGUSR1, &action, nullptr);  // Without SA_RESTART.
  WireListener listener;
  const pthread_t reader_thread = pthread_self();
  std::thread server([&] {
    WirePeer peer(listener.accept());
    hear_request(peer);
    peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    pthread_kill(reader_thread, SIGUSR1);
    EXPECT_TRUE(peer.is_closed());
  });
  Client client(listener.place());
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = client.stream(get("/"), {.on_bytes = [](std::string_view) { return true; },
                                               .on_pause = [] { return signals_seen == 0; }});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  EXPECT_TRUE(answer);
  server.join();
  EXPECT_EQ(signals_seen, 1);
}

TEST(Client, ASilentStreamIsGivenUp) {
  WireListener listener;
  std::thread server([&] {
    WirePeer peer(listener.accept());
    hear_request(peer);
    peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    EXPECT_TRUE(peer.is_closed());
  });
  Client client(listener.place(), {.silence_timeout = milliseconds(50)});
  const auto answer = client.stream(get("/"), {.on_bytes = [](std::string_view) { return true; }});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Failure::Kind::unavailable);
  server.join();
}

}  // namespace
}  // namespace suan::net
