#include "net/server.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "net/client.h"
#include "net/wire_peer.h"
#include "testing/property.h"

namespace suan::net {
namespace {

Response text_answer(std::string body, int status = 200) {
  return {.status = status, .content_type = "text/plain", .body = std::move(body)};
}

// Says back what it was asked.
void echo(Request&& request, Responder responder) {
  std::string body(print_method(request.method));
  body += " " + request.path;
  for (const auto& [key, value] : request.query) body += " " + key + "=" + value;
  body += ":" + request.body;
  responder.respond(text_answer(std::move(body)));
}

std::unique_ptr<Server> start(ServerOptions options, Route route) {
  auto server = Server::start(std::move(options), std::move(route));
  if (!server) {
    ADD_FAILURE() << server.error().text;
    std::abort();
  }
  return std::move(*server);
}

std::string post_text(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

constexpr std::string_view get_text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Server, GivesTheRouteADecodedRequest) {
  Request seen;
  const auto server = start({}, [&](Request&& request, Responder responder) {
    seen = std::move(request);
    responder.respond(text_answer("hi", 201));
  });
  WirePeer peer(server->port());
  const Response answer = peer.ask(
      "PUT /a%20b/%E7%AE%97?x=1&y=%26 HTTP/1.1\r\nHost: h\r\nX-Key:  v \r\nContent-Length: "
      "3\r\n\r\nabc");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "hi");
  EXPECT_NE(answer.headers.find("Date"), nullptr);
  EXPECT_EQ(seen.method, Method::put);
  EXPECT_EQ(seen.path, "/a b/算");
  EXPECT_EQ(seen.target, "/a%20b/%E7%AE%97?x=1&y=%26");
  EXPECT_EQ(*seen.find_query("y"), "&");
  EXPECT_EQ(seen.find_query("z"), nullptr);
  EXPECT_EQ(*seen.headers.find("x-key"), "v");
  EXPECT_EQ(seen.body, "abc");
  EXPECT_TRUE(seen.peer.starts_with("127.0.0.1:"));
}

TEST(Server, KeepsConnectionsAndClosesThemWhenAsked) {
  const auto server = start({}, echo);
  WirePeer peer(server->port());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(peer.ask(get_text).body, "GET /:");
  const Response last = peer.ask("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(*last.headers.find("Connection"), "close");
  EXPECT_TRUE(peer.is_closed());
  WirePeer old(server->port());
  EXPECT_EQ(old.ask("GET /old HTTP/1.0\r\n\r\n").body, "GET /old:");
  EXPECT_TRUE(old.is_closed());
  WirePeer kept(server->port());
  EXPECT_EQ(kept.ask("GET /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").status, 200);
  EXPECT_EQ(kept.ask(get_text).status, 200);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  std::mutex mutex;
  std::vector<std::jthread> threads;
  const auto server = start({}, [&](Request&& request, Responder responder) {
    const bool is_late = request.body.size() % 3 == 1;
    if (!is_late) return echo(std::move(request), std::move(responder));
    const std::lock_guard lock(mutex);
    threads.emplace_back([held = std::move(request), to = std::move(responder)]() mutable {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      echo(std::move(held), std::move(to));
    });
  });
  std::string all;
  for (std::size_t i = 0; i < 40; ++i) {
    all += post_text("/" + std::to_string(i), std::string(i * 40, 'x'));
  }
  WirePeer peer(server->port());
  peer.say(all);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(peer.hear().body, "POST /" + std::to_string(i) + ":" + std::string(i * 40, 'x'));
  }
}

TEST(Server, ReadsRequestsTornAnywhere) {
  const auto server = start({}, echo);
  const std::string chunked =
      "POST /c?q=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;e=1\r\ndefg\r\n0\r\nHost: evil\r\n\r\n";
  const std::string both = chunked + post_text("/p", "hello");
  for_each_seed(
      [&](Random& random) {
        WirePeer peer(server->port());
        for (std::string_view rest = both; !rest.empty();) {
          const std::size_t size = std::min(rest.size(), 1 + random.below(std::size_t{60}));
          ASSERT_TRUE(peer.say(rest.substr(0, size)));
          rest.remove_prefix(size);
          if (random.chance(1, 4)) std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        EXPECT_EQ(peer.hear().body, "POST /c q=1:abcdefg");
        EXPECT_EQ(peer.hear().body, "POST /p:hello");
      },
      60);
}

TEST(Server, AnEmptyChunkedBodyMayComeByteByByte) {
  const auto server = start({}, echo);
  WirePeer peer(server->port());
  const std::string text =
      "POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n";
  for (const char& c : text) {
    peer.say(std::string_view(&c, 1));
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  EXPECT_EQ(peer.hear().body, "POST /e:");
}

TEST(Server, HeadAndOptionsAreSane) {
  const auto server = start({}, echo);
  WirePeer peer(server->port());
  peer.say("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
  const Response head = peer.hear(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(*head.headers.find("Content-Length"), "7");  // Of "GET /h:".
  EXPECT_EQ(peer.ask(get_text).body, "GET /:");
  const Response all = peer.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(all.status, 204);
  EXPECT_NE(all.headers.find("Allow"), nullptr);
  EXPECT_EQ(all.headers.find("Content-Length"), nullptr);
  EXPECT_EQ(peer.ask("OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n").body, "OPTIONS /x:");
  EXPECT_EQ(peer.ask("GET http://other/abs?x=1 HTTP/1.1\r\nHost: a\r\n\r\n").body, "GET /abs x=1:");
  EXPECT_EQ(peer.ask("GET http://other?x=1 HTTP/1.1\r\nHost: a\r\n\r\n").body, "GET / x=1:");
}

struct Refused {
  std::string text;
  int status;
};

TEST(Server, RefusesMalformedRequestsAndCloses) {
  std::atomic<int> routed = 0;
  const auto server = start({}, [&](Request&& request, Responder responder) {
    ++routed;
    echo(std::move(request), std::move(responder));
  });
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const auto& [text, status] : std::vector<Refused>{
           {"hello\r\n\r\n", 400},
           {"\x16\x03\x01\x02\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
           {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
           {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
           {"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
           {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
           {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
           {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
           {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
           {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
           {"GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400},
           {post + "Content-Length: x\r\n\r\n", 400},
           {post + "Content-Length: -1\r\n\r\n", 400},
           {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
           {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
           {post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400},
           {post + "Transfer-Encoding: gzip\r\n\r\n", 501},
           {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
           {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
           {post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400},
           {post + "Expect: miracles\r\n\r\n", 417}}) {
    WirePeer peer(server->port());
    peer.say(text + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    const Response answer = peer.hear();
    EXPECT_EQ(answer.status, status) << text;
    EXPECT_EQ(answer.content_type, "application/problem+json") << text;
    EXPECT_TRUE(peer.is_closed()) << text;
  }
  EXPECT_EQ(routed, 0);
  WirePeer peer(server->port());
  EXPECT_EQ(peer.ask(get_text).status, 200);
}

TEST(Server, HoldsItsLimitsOfSize) {
  const auto server = start({.body_bytes_max = 1000, .header_bytes_max = 1024}, echo);
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 101; ++i) many += "A:\r\n";
  std::string chunks = post + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
  for (const auto& [text, status] : std::vector<Refused>{
           {post + "Content-Length: 1001\r\n\r\n", 413},
           {post + "Content-Length: 18446744073709551615\r\n\r\n", 413},
           {chunks, 413},
           {"GET /" + std::string(1100, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
           {"GET /" + std::string(20000, 'x'), 431},
           {post + "X: " + std::string(1000, 'x') + "\r\n\r\n", 431},
           {many + "\r\n", 431},
           {post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20000, 'e'), 431}}) {
    WirePeer peer(server->port());
    peer.say(text);
    EXPECT_EQ(peer.hear().status, status) << text.substr(0, 80);
    EXPECT_TRUE(peer.is_closed());
  }
  WirePeer peer(server->port());
  EXPECT_EQ(peer.ask(post_text("/", std::string(1000, 'x'))).body.size(), 1007U);
  EXPECT_EQ(peer.ask("GET /" + std::string(900, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

TEST(Server, TheRefusalOfAGreatBodyReachesTheClient) {
  const auto server = start({}, echo);
  WirePeer peer(server->port());
  const std::string body(8U << 20U, 'x');
  peer.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n");
  peer.say(body);
  EXPECT_EQ(peer.hear().status, 413);
}

TEST(Server, LargeBodiesComeAndGoWhole) {
  const auto server = start({.body_bytes_max = 16U << 20U}, echo);
  std::string body(12U << 20U, '\0');
  Random random(1);
  for (char& c : body) c = static_cast<char>('a' + random.below(26U));
  Client client("http://127.0.0.1:" + std::to_string(server->port()));
  Request request;
  request.method = Method::post;
  request.body = body;
  const auto answer = client.send(request);
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(answer->body == "POST /:" + body);
}

TEST(Server, AClientThatAsksMayContinue) {
  const auto server = start({}, echo);
  WirePeer peer(server->port());
  peer.say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(peer.hear_some(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(peer.ask("ab").body, "POST /:ab");
  EXPECT_EQ(
      peer.ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab")
          .status,
      200);
}

ServerOptions impatient() {
  return {.idle_timeout = milliseconds(500),
          .header_timeout = milliseconds(500),
          .body_timeout = milliseconds(500),
          .write_timeout = milliseconds(500),
          .answer_timeout = milliseconds(500)};
}

TEST(Server, TooSlowRequestsAreTimedOut) {
  const auto server = start(impatient(), echo);
  WirePeer header(server->port());
  std::atomic<bool> is_over = false;
  std::thread dripping([&] {  // Slow loris: always something, never enough.
    for (const char c : std::string("GET / HTTP/1.1\r\nX: ") + std::string(10'000, 'x')) {
      if (is_over || !header.say(std::string_view(&c, 1))) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(header.hear().status, 408);
  is_over = true;
  dripping.join();
  WirePeer body(server->port());
  body.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_EQ(body.hear().status, 408);
  EXPECT_TRUE(body.is_closed());
  WirePeer unused(server->port());
  EXPECT_EQ(unused.hear_all(), "");
  EXPECT_TRUE(unused.is_closed());
  WirePeer idle(server->port());
  EXPECT_EQ(idle.ask(get_text).status, 200);
  EXPECT_EQ(idle.hear_all(), "");
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 0; }));
}

TEST(Server, AClientThatDoesNotReadItsAnswerIsCut) {
  const auto server = start(impatient(), [](Request&&, Responder responder) {
    responder.respond(text_answer(std::string(64U << 20U, 'x')));
  });
  WirePeer peer(server->port());
  peer.say(get_text);
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 1; }));
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 0; }));
}

TEST(Server, HalfOpenAndVanishingClientsLeaveNothingBehind) {
  const auto server = start({}, echo);
  {
    WirePeer half(server->port());
    half.say(get_text);
    half.end();
    EXPECT_EQ(half.hear().status, 200);  // It may still listen.
    EXPECT_TRUE(half.is_closed());
    WirePeer torn(server->port());
    torn.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    torn.end();
    EXPECT_TRUE(torn.is_closed());
    WirePeer vanishing(server->port());
    vanishing.say("GET / HT");
    const linger hard{.l_onoff = 1, .l_linger = 0};  // Close by reset.
    setsockopt(vanishing.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 0; }));
}

TEST(Server, TooManyConnectionsAreToldToComeBack) {
  const auto server = start({.connections_max = 2}, echo);
  WirePeer first(server->port());
  auto second = std::make_unique<WirePeer>(server->port());
  EXPECT_EQ(first.ask(get_text).status, 200);
  EXPECT_EQ(second->ask(get_text).status, 200);
  {
    WirePeer third(server->port());
    third.say(get_text);
    const Response answer = third.hear();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(*answer.headers.find("Retry-After"), "1");
    EXPECT_TRUE(third.is_closed());
  }
  second.reset();
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 1; }));
  WirePeer fourth(server->port());
  EXPECT_EQ(fourth.ask(get_text).status, 200);
  EXPECT_EQ(first.ask(get_text).status, 200);
}

TEST(Server, AnswersMayComeFromAnyThreadInAnyOrder) {
  std::mutex mutex;
  std::vector<std::pair<Request, Responder>> waiting;
  const auto server = start({.threads = 2}, [&](Request&& request, Responder responder) {
    const std::lock_guard lock(mutex);
    waiting.emplace_back(std::move(request), std::move(responder));
  });
  std::vector<std::jthread> answerers;
  for (int i = 0; i < 2; ++i) {
    answerers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        std::vector<std::pair<Request, Responder>> taken;
        {
          const std::lock_guard lock(mutex);
          taken.swap(waiting);
        }
        while (!taken.empty()) {  // Last come, first served.
          echo(std::move(taken.back().first), std::move(taken.back().second));
          taken.pop_back();
        }
        std::this_thread::yield();
      }
    });
  }
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < 6; ++c) {
    clients.emplace_back([&, c] {
      WirePeer peer(server->port());
      for (int i = 0; i < 100; ++i) {
        const std::string path = "/" + std::to_string(c) + "/" + std::to_string(i);
        if (peer.ask(post_text(path, "b")).body == "POST " + path + ":b") ++right;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 600);
}

TEST(Server, ADroppedResponderAnswers500) {
  const auto server = start({}, [](Request&& request, Responder responder) {
    if (request.path == "/elsewhere") std::thread([held = std::move(responder)] {}).join();
  });
  WirePeer peer(server->port());
  for (const char* path : {"/", "/elsewhere"}) {
    const Response answer = peer.ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(answer.status, 500);
    EXPECT_NE(answer.body.find("no_answer"), std::string::npos);
  }
}

TEST(Server, AnAnswerTooLateIs504AndThenIgnored) {
  std::vector<Responder> late;
  const auto server = start(impatient(), [&](Request&& request, Responder responder) {
    if (request.path == "/late")
      late.push_back(std::move(responder));
    else
      echo(std::move(request), std::move(responder));
  });
  WirePeer peer(server->port());
  EXPECT_EQ(peer.ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n").status, 504);
  late[0].respond(text_answer("late"));
  EXPECT_EQ(peer.ask(get_text).body, "GET /:");
}

TEST(Server, ARespondersLifeMayBeLongerThanTheServers) {
  std::vector<Responder> held;
  std::atomic<int> count = 0;
  auto server = start({}, [&](Request&&, Responder responder) {
    held.push_back(std::move(responder));
    ++count;
  });
  WirePeer a(server->port());
  WirePeer b(server->port());
  WirePeer c(server->port());
  for (WirePeer* peer : {&a, &b, &c}) peer->say(get_text);
  ASSERT_TRUE(becomes_true([&] { return count == 3; }));
  server.reset();
  EXPECT_TRUE(a.is_closed());
  held[0].respond(text_answer("nobody hears"));
  EXPECT_FALSE(held[1].stream(200, "text/plain").is_open());
  held.clear();
}

TEST(Server, StopsGracefully) {
  std::vector<Responder> held;
  std::atomic<int> count = 0;
  const auto server = start({}, [&](Request&& request, Responder responder) {
    if (request.path == "/") return echo(std::move(request), std::move(responder));
    held.push_back(std::move(responder));
    ++count;
  });
  WirePeer idle(server->port());
  EXPECT_EQ(idle.ask(get_text).status, 200);
  WirePeer busy(server->port());
  busy.say("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(becomes_true([&] { return count == 1; }));
  std::thread answering([&] {
    EXPECT_TRUE(idle.is_closed());
    EXPECT_FALSE(WirePeer(server->port()).is_connected());
    held[0].respond(text_answer("in time"));
  });
  server->stop(seconds(5));
  answering.join();
  const Response answer = busy.hear();
  EXPECT_EQ(answer.body, "in time");
  EXPECT_EQ(*answer.headers.find("Connection"), "close");
  EXPECT_EQ(server->connections(), 0U);
}

TEST(Server, GraceHasAnEnd) {
  std::vector<Responder> held;
  std::atomic<int> count = 0;
  const auto server = start({.threads = 2}, [&](Request&&, Responder responder) {
    held.push_back(std::move(responder));
    ++count;
  });
  WirePeer peer(server->port());
  peer.say(get_text);
  ASSERT_TRUE(becomes_true([&] { return count == 1; }));
  const auto begun = std::chrono::steady_clock::now();
  server->stop(milliseconds(50));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  EXPECT_EQ(peer.hear().status, 0);
}

TEST(Server, RunsJobsOnItsThread) {
  std::thread::id route_thread;
  const auto server = start({}, [&](Request&& request, Responder responder) {
    route_thread = std::this_thread::get_id();
    echo(std::move(request), std::move(responder));
  });
  std::atomic<int> ticks = 0;
  std::atomic<bool> is_posted = false;
  std::thread::id job_thread;
  server->every(milliseconds(2), [&] { ++ticks; });
  server->post([&] {
    job_thread = std::this_thread::get_id();
    is_posted = true;
  });
  WirePeer peer(server->port());
  EXPECT_EQ(peer.ask(get_text).status, 200);
  EXPECT_TRUE(becomes_true([&] { return ticks >= 3 && is_posted; }));
  EXPECT_EQ(job_thread, route_thread);
  server->stop({});
  const int last = ticks;
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(ticks, last);
}

TEST(Server, SpeaksOverAUnixSocket) {
  const std::string path = testing::TempDir() + "suan_net_" + std::to_string(getpid()) + ".sock";
  std::string seen;
  const auto route = [&](Request&& request, Responder responder) {
    seen = request.peer;
    echo(std::move(request), std::move(responder));
  };
  auto server = start({.host = "", .unix_path = path}, route);
  EXPECT_EQ(server->port(), 0);
  Client client("unix:" + path);
  Request request;
  request.path = "/u";
  EXPECT_EQ(client.send(request)->body, "GET /u:");
  EXPECT_EQ(seen, "unix:" + std::to_string(getuid()));
  const auto second = Server::start({.host = "", .unix_path = path}, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Failure::Kind::unavailable);
  server.reset();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  // A file left by a server that died is replaced.
  const Place place{.unix_path = path, .port = 0};
  const Address address = resolve(place)->front();
  const int dead = open_socket(AF_UNIX);
  ASSERT_EQ(bind(dead, address.get(), address.size), 0);
  ::close(dead);
  server = start({.host = "", .unix_path = path}, route);
  EXPECT_TRUE(Client("unix:" + path).send(request));
}

TEST(Server, RefusesPlacesItCannotHave) {
  const auto first = start({}, echo);
  const auto second = Server::start({.port = first->port()}, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Failure::Kind::unavailable);
  EXPECT_EQ(Server::start({.host = "example.org"}, echo).error().kind, Failure::Kind::invalid);
  EXPECT_EQ(Server::start({.host = ""}, echo).error().kind, Failure::Kind::invalid);
  EXPECT_EQ(Server::start({.threads = 0}, echo).error().kind, Failure::Kind::invalid);
}

TEST(Server, ARoutesFieldsCannotForgeOthers) {
  const auto server = start({}, [](Request&&, Responder responder) {
    Response response = text_answer("x");
    response.headers.add("Good", "1");
    response.headers.add("Bad", "1\r\nForged: 1");
    responder.respond(std::move(response));
  });
  WirePeer peer(server->port());
  const Response answer = peer.ask(get_text);
  EXPECT_NE(answer.headers.find("Good"), nullptr);
  EXPECT_EQ(answer.headers.find("Bad"), nullptr);
  EXPECT_EQ(answer.headers.find("Forged"), nullptr);
}

}  // namespace
}  // namespace suan::net
