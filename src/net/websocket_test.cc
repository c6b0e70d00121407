#include "net/websocket.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/server.h"
#include "net/socket_witness.h"
#include "net/wire_peer.h"
#include "testing/property.h"

namespace suan::net {
namespace {

using Kind = SocketEnd::Kind;

std::unique_ptr<Server> start(Route route, ServerOptions options = {}) {
  auto server = Server::start(std::move(options), std::move(route));
  if (!server) {
    ADD_FAILURE() << server.error().text;
    std::abort();
  }
  return std::move(*server);
}

// Upgrades every request to a socket that says back what it hears.
Route echo(SocketOptions options = {}) {
  return [options](Request&& request, Responder responder) {
    auto self = std::make_shared<WebSocket>();
    SocketListener listener{
        .on_message = [self](std::string&& message) { self->send(std::move(message)); },
        .on_close = [self](const SocketEnd&) {}};
    *self = responder.upgrade(request, options, std::move(listener));
  };
}

// Keeps the sockets of a server where a test can reach them.
struct Guests {
  Route route(SocketOptions options = {}) {
    return [this, options](Request&& request, Responder responder) {
      const std::lock_guard lock(mutex);
      witnesses.push_back(std::make_unique<SocketWitness>());
      sockets.push_back(responder.upgrade(request, options, witnesses.back()->listener()));
    };
  }
  std::size_t size() {
    const std::lock_guard lock(mutex);
    return sockets.size();
  }

  std::mutex mutex;
  std::vector<std::unique_ptr<SocketWitness>> witnesses;
  std::vector<WebSocket> sockets;
};

std::unique_ptr<Dialler> start_dialler() {
  return *Dialler::start();
}

DialOptions to(const Server& server, SocketOptions socket = {}) {
  return {.url = "ws://127.0.0.1:" + std::to_string(server.port()) + "/there", .socket = socket};
}

constexpr std::string_view asking =
    "GET /there HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// A frame of a client, whose mask of zeros changes nothing (RFC 6455 §5.2).
std::string frame(unsigned opcode, std::string_view payload) {
  std::string out;
  out += static_cast<char>(0x80U | opcode);
  if (payload.size() < 126) {
    out += static_cast<char>(0x80U | payload.size());
  } else {
    out += static_cast<char>(0xFE);
    out += static_cast<char>(payload.size() >> 8U);
    out += static_cast<char>(payload.size() & 0xFFU);
  }
  out.append(4, '\0');
  return out + std::string(payload);
}

// A client that has opened a socket by hand.
std::unique_ptr<WirePeer> open_by_hand(const Server& server, int receive_bytes = 0) {
  auto peer =
      std::make_unique<WirePeer>(Place{.host = "127.0.0.1", .port = server.port()}, receive_bytes);
  peer->say(asking);
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    std::string byte(1, '\0');
    if (::recv(peer->fd(), byte.data(), 1, 0) != 1) break;
    head += byte;
  }
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
  // RFC 6455 §1.3 has this very example.
  EXPECT_NE(head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), head.npos) << head;
  return peer;
}

TEST(WebSocket, CarriesMessagesBothWaysInOrder) {
  SocketWitness witness;
  const auto server = start(echo());
  const auto dialler = start_dialler();
  WebSocket socket = dialler->dial(to(*server), witness.listener());
  std::vector<std::string> sent;
  for_each_seed(
      [&](Random& random) {
        std::string message(random.below(std::size_t{3000}), '\0');
        for (char& byte : message) byte = static_cast<char>(random.below(256U));
        sent.push_back(message);
        EXPECT_EQ(socket.send(std::move(message)), WebSocket::Sent::queued);
      },
      100);
  ASSERT_TRUE(witness.wait_messages(sent.size()));
  EXPECT_EQ(witness.messages(), sent);
  EXPECT_EQ(witness.opened(), 1);
  socket.close(4001, "enough");
  const SocketEnd end = witness.wait_end();
  EXPECT_EQ(end.kind, Kind::closed) << end.text;
  EXPECT_EQ(end.code, 4001);
  EXPECT_EQ(end.text, "enough");
  EXPECT_EQ(socket.send("late"), WebSocket::Sent::over);
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 0; }));
}

TEST(WebSocket, CarriesLargeMessages) {
  const SocketOptions large{.message_bytes_max = 32U << 20U, .queue_bytes_max = 64U << 20U};
  SocketWitness witness;
  const auto server = start(echo(large));
  const auto dialler = start_dialler();
  WebSocket socket = dialler->dial(to(*server, large), witness.listener());
  std::string message(20U << 20U, 'x');
  for (std::size_t i = 0; i < message.size(); i += 4096) message[i] = static_cast<char>(i >> 12U);
  socket.send(message);
  ASSERT_TRUE(witness.wait_messages(1));
  EXPECT_TRUE(witness.messages().front() == message);
}

TEST(WebSocket, EndsWithTheCodeOfWhoeverClosesFirst) {
  Guests guests;
  SocketWitness witness;
  const auto server = start(guests.route());
  const auto dialler = start_dialler();
  WebSocket socket = dialler->dial(to(*server), witness.listener());
  ASSERT_TRUE(witness.wait_open());
  ASSERT_TRUE(becomes_true([&] { return guests.size() == 1; }));
  for (int i = 0; i < 50; ++i) guests.sockets[0].send("last words " + std::to_string(i));
  const std::string reason = "算力不足" + std::string(200, '.');
  guests.sockets[0].close(4999, reason);
  const SocketEnd end = witness.wait_end();
  EXPECT_EQ(end.kind, Kind::closed);
  EXPECT_EQ(end.code, 4999);
  EXPECT_EQ(end.text, reason.substr(0, 123));
  EXPECT_EQ(witness.messages().size(), 50U);
  const SocketEnd there = guests.witnesses[0]->wait_end();
  EXPECT_EQ(there.kind, Kind::closed);
  EXPECT_EQ(there.code, 4999);
}

TEST(WebSocket, ClosesWhenTheLastHandleGoes) {
  Guests guests;
  SocketWitness witness;
  const auto server = start(guests.route());
  const auto dialler = start_dialler();
  {
    const WebSocket socket = dialler->dial(to(*server), witness.listener());
    const WebSocket copy = socket;
    ASSERT_TRUE(witness.wait_open());
  }
  EXPECT_EQ(witness.wait_end().code, 1000);
  EXPECT_EQ(guests.witnesses[0]->wait_end().code, 1000);
  EXPECT_TRUE(becomes_true([&] { return dialler->sockets() == 0; }));
}

TEST(WebSocket, RefusesWhatIsNotAnUpgrade) {
  const auto server = start(echo());
  const auto ask = [&](std::string_view from, std::string_view into) {
    std::string text(asking);
    text.replace(text.find(from), from.size(), into);
    WirePeer peer(server->port());
    return peer.ask(text);
  };
  EXPECT_EQ(ask("GET", "POST").status, 405);
  EXPECT_EQ(ask("Upgrade: websocket\r\n", "").status, 426);
  EXPECT_EQ(ask("Upgrade: websocket\r\n", "Upgrade: h2c\r\n").status, 426);
  EXPECT_EQ(ask("Connection: Upgrade", "Connection: keep-alive").status, 426);
  EXPECT_EQ(*ask("Version: 13", "Version: 8").headers.find("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(ask("dGhlIHNhbXBsZSBub25jZQ==", "short==").status, 400);
  EXPECT_EQ(ask("dGhlIHNhbXBsZSBub25jZQ==", "!GhlIHNhbXBsZSBub25jZQ==").status, 400);
  EXPECT_EQ(ask("\r\n\r\n", "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").status, 400);
  EXPECT_EQ(ask("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx").status, 400);
  EXPECT_EQ(ask("HTTP/1.1", "HTTP/1.0").status, 400);
  EXPECT_EQ(ask("\r\n\r\n", "\r\n\r\nearly").status, 400);
  WirePeer several(server->port());
  several.say(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, WebSocket\r\nConnection: keep-alive, UPGRADE\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  EXPECT_TRUE(several.hear_some().starts_with("HTTP/1.1 101 "));
}

TEST(WebSocket, TellsADiallerWhyThereIsNoSocket) {
  const auto server = start([](Request&&, Responder responder) {
    responder.respond({.status = 403, .body = "{\"code\":\"forbidden\"}"});
  });
  const auto dialler = start_dialler();
  const auto dial = [&](DialOptions options) {
    SocketWitness witness;
    WebSocket socket = dialler->dial(std::move(options), witness.listener());
    const SocketEnd end = witness.wait_end();
    EXPECT_EQ(witness.opened(), 0);
    EXPECT_EQ(socket.send("x"), WebSocket::Sent::over);
    return end;
  };
  const SocketEnd refused = dial(to(*server));
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_EQ(refused.http_status, 403);
  EXPECT_EQ(refused.body, "{\"code\":\"forbidden\"}");
  for (const char* url : {"http://127.0.0.1/", "ws://", "ws://127.0.0.1:0/", "wss://[::1", "unix:x",
                          "ws://user@host/", "ws://no-such-host.invalid/"}) {
    const SocketEnd end = dial({.url = url});
    EXPECT_EQ(end.kind, Kind::unreachable) << url;
    EXPECT_FALSE(end.text.empty()) << url;
  }
  DialOptions forged = to(*server);
  forged.headers.add("X-Key", "a\r\nX-Admin: yes");
  EXPECT_EQ(dial(std::move(forged)).kind, Kind::unreachable);
  std::uint16_t closed_port = 0;
  {
    const WireListener listener;
    closed_port = listener.port();
  }
  EXPECT_EQ(dial({.url = "ws://127.0.0.1:" + std::to_string(closed_port)}).kind, Kind::unreachable);
  const WireListener mute;
  DialOptions impatient{.url = "ws://127.0.0.1:" + std::to_string(mute.port())};
  impatient.timeout = milliseconds(50);
  EXPECT_EQ(dial(std::move(impatient)).text, "no answer in time");
}

TEST(WebSocket, RefusesAMessageOverTheLimit) {
  SocketWitness witness;
  const auto server = start(echo({.message_bytes_max = 1000}));
  const auto dialler = start_dialler();
  WebSocket socket = dialler->dial(to(*server), witness.listener());
  socket.send(std::string(1000, 'a'));
  ASSERT_TRUE(witness.wait_messages(1));
  socket.send(std::string(1001, 'b'));
  const SocketEnd end = witness.wait_end();
  EXPECT_EQ(end.kind, Kind::closed) << end.text;
  EXPECT_EQ(end.code, 1009);
  EXPECT_EQ(witness.messages().size(), 1U);
}

TEST(WebSocket, RefusesTextAndBrokenFrames) {
  Guests guests;
  const auto server = start(guests.route({.close_timeout = milliseconds(500)}));
  bool leaves_at_once = false;
  const auto say = [&](const std::string& bytes) {
    const std::size_t guest = guests.size();
    const auto peer = open_by_hand(*server);
    peer->say(bytes);
    EXPECT_TRUE(peer->is_closed());
    leaves_at_once = !leaves_at_once;
    if (leaves_at_once) peer->close();
    return guests.witnesses[guest]->wait_end();
  };
  const SocketEnd text = say(frame(1, "words") + frame(8, "\x03\xEB"));
  EXPECT_EQ(text.kind, Kind::violated);
  EXPECT_EQ(text.code, 1003);
  std::string unmasked = frame(2, "abc");
  unmasked[1] = 3;
  EXPECT_EQ(say(unmasked).kind, Kind::violated);
  EXPECT_EQ(say(frame(3, "reserved")).kind, Kind::violated);
  EXPECT_EQ(say(frame(0, "continues nothing")).kind, Kind::violated);
  const std::string_view long_ping("\x89\xFE\x00\x80\0\0\0\0", 8);
  EXPECT_EQ(say(std::string(long_ping)).kind, Kind::violated);
}

TEST(WebSocket, AnswersPingsAndTheCloseOfAPeer) {
  Guests guests;
  const auto server = start(guests.route());
  const auto peer = open_by_hand(*server);
  peer->say(frame(9, "are you there"));
  EXPECT_EQ(peer->hear_some(), std::string("\x8A\x0D") + "are you there");
  peer->say(frame(8, ""));
  EXPECT_EQ(peer->hear_some().front(), '\x88');
  peer->close();
  const SocketEnd end = guests.witnesses[0]->wait_end();
  EXPECT_EQ(end.kind, Kind::closed);
  EXPECT_EQ(end.code, 1005);
}

TEST(WebSocket, NoticesAPeerThatSaysNothing) {
  Guests guests;
  const auto server =
      start(guests.route({.silence_timeout = seconds(1)}), {.header_timeout = milliseconds(700)});
  const auto half_open = open_by_hand(*server);
  const auto torn = open_by_hand(*server);
  torn->close();
  EXPECT_EQ(guests.witnesses[1]->wait_end().kind, Kind::broken);
  EXPECT_EQ(half_open->hear_some(), std::string("\x89\x00", 2));  // Is asked first.
  const SocketEnd end = guests.witnesses[0]->wait_end();
  EXPECT_EQ(end.kind, Kind::silent);
  EXPECT_TRUE(half_open->is_closed());
  // One that answers pings lives on.
  SocketWitness witness;
  const auto dialler = start_dialler();
  WebSocket socket = dialler->dial(to(*server), witness.listener());
  ASSERT_TRUE(witness.wait_open());
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_EQ(witness.ends(), 0U);
  EXPECT_EQ(guests.witnesses[2]->ends(), 0U);
}

TEST(WebSocket, TellsASenderToWaitAndWhenToGoOn) {
  Guests guests;
  const SocketOptions small{.message_bytes_max = 1U << 20U, .queue_bytes_max = 1U << 20U};
  const auto server = start(guests.route(small));
  const auto peer = open_by_hand(*server, 4096);
  WebSocket& socket = guests.sockets[0];
  std::size_t sent = 0;
  while (socket.send(std::string(100'000, 'x')) == WebSocket::Sent::queued && sent < 1000) ++sent;
  ASSERT_LT(sent, 1000U);  // The peer takes nothing, so at some point we are told to wait.
  EXPECT_FALSE(socket.has_room(100'000));
  EXPECT_LE(socket.queued_bytes(), small.queue_bytes_max);
  std::size_t heard = 0;
  while (heard < sent * 100'000) {
    const std::string some = peer->hear_some();
    if (some.empty()) break;
    heard += some.size();
  }
  EXPECT_GE(heard, sent * 100'000);
  EXPECT_TRUE(guests.witnesses[0]->wait_rooms(1));
  EXPECT_TRUE(socket.has_room(1U << 20U));
  EXPECT_EQ(socket.send("again"), WebSocket::Sent::queued);
}

TEST(WebSocket, CutsAPeerThatTakesNoPartInClosing) {
  Guests guests;
  const auto server = start(guests.route({.close_timeout = milliseconds(100)}));
  const auto peer = open_by_hand(*server);
  guests.sockets[0].close(1000, "bye");
  EXPECT_EQ(guests.witnesses[0]->wait_end().kind, Kind::broken);
  EXPECT_TRUE(peer->is_closed());
  const auto other = open_by_hand(*server);
  guests.sockets[1].cut();
  EXPECT_EQ(guests.witnesses[1]->wait_end().text, "it was cut here");
  EXPECT_TRUE(other->is_closed());
}

TEST(WebSocket, HoldsMessagesBack) {
  Guests guests;
  SocketWitness witness;
  const auto server = start(guests.route());
  const auto dialler = start_dialler();
  WebSocket socket = dialler->dial(to(*server), witness.listener());
  ASSERT_TRUE(witness.wait_open());
  ASSERT_TRUE(becomes_true([&] { return guests.size() == 1; }));
  guests.sockets[0].hold(true);
  // One may be on its way already.
  for (int i = 0; i < 5; ++i) socket.send(std::to_string(i));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(guests.witnesses[0]->messages().size(), 1U);
  guests.sockets[0].hold(false);
  ASSERT_TRUE(guests.witnesses[0]->wait_messages(5));
  EXPECT_EQ(guests.witnesses[0]->messages(), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
}

TEST(WebSocket, ServesManyAtOnceOnSeveralThreads) {
  constexpr std::size_t count = 300;
  const auto server = start(echo(), {.threads = 3});
  const auto dialler = start_dialler();
  std::vector<std::unique_ptr<SocketWitness>> witnesses;
  std::vector<WebSocket> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    witnesses.push_back(std::make_unique<SocketWitness>());
    sockets.push_back(dialler->dial(to(*server), witnesses.back()->listener()));
    for (std::size_t k = 0; k < 10; ++k) sockets.back().send(std::to_string(i * 10 + k));
  }
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(witnesses[i]->wait_messages(10)) << i;
    EXPECT_EQ(witnesses[i]->messages().back(), std::to_string(i * 10 + 9));
  }
  EXPECT_EQ(server->connections(), count);
  EXPECT_EQ(dialler->sockets(), count);
  dialler->stop(seconds(5));
  for (const auto& witness : witnesses) EXPECT_EQ(witness->ends(), 1U);
  EXPECT_TRUE(becomes_true([&] { return server->connections() == 0; }));
}

TEST(WebSocket, EndsWithItsServer) {
  Guests guests;
  SocketWitness kind;
  SocketWitness late;
  const auto dialler = start_dialler();
  auto server = start(guests.route());
  WebSocket socket = dialler->dial(to(*server), kind.listener());
  ASSERT_TRUE(kind.wait_open());
  const auto deaf = open_by_hand(*server);
  ASSERT_TRUE(guests.witnesses[1]->wait_open());
  server->stop(seconds(1));
  EXPECT_EQ(kind.wait_end().code, 1001);
  EXPECT_EQ(guests.witnesses[0]->wait_end().code, 1001);
  EXPECT_EQ(guests.witnesses[1]->wait_end().kind, Kind::broken);
  EXPECT_TRUE(deaf->is_closed());
  EXPECT_EQ(guests.sockets[0].send("x"), WebSocket::Sent::over);
  server.reset();
  EXPECT_FALSE(guests.sockets[0].is_usable());
  dialler->stop({});
  WebSocket nobody = dialler->dial({.url = "ws://127.0.0.1:1"}, late.listener());
  EXPECT_EQ(late.wait_end().kind, Kind::unreachable);
}

TEST(WebSocket, EndsWhenTheRequestIsGone) {
  SocketWitness witness;
  WebSocket socket;
  std::optional<Responder> held;
  Request asked;
  std::atomic<bool> has_asked = false;
  const auto server = start(
      [&](Request&& request, Responder responder) {
        asked = std::move(request);
        held.emplace(std::move(responder));
        has_asked = true;
      },
      {.answer_timeout = milliseconds(200)});
  WirePeer peer(server->port());
  peer.say(asking);
  ASSERT_TRUE(becomes_true([&] { return has_asked.load(); }));
  EXPECT_EQ(peer.hear().status, 504);
  socket = held->upgrade(asked, {}, witness.listener());
  EXPECT_EQ(witness.wait_end().kind, Kind::broken);
}

TEST(Dialler, ReachesAUnixSocketAndSendsItsFields) {
  const std::string path = testing::TempDir() + "websocket_" + std::to_string(::getpid());
  Request seen;
  SocketWitness witness;
  SocketWitness there;
  WebSocket socket;
  const auto server = start(
      [&](Request&& request, Responder responder) {
        seen = request;
        socket = responder.upgrade(request, {}, there.listener());
      },
      {.host = "", .unix_path = path});
  const auto dialler = start_dialler();
  DialOptions options{.url = "unix:" + path, .target = "/v1/uplink?as=a%20b"};
  options.headers.add("Authorization", "Bearer x");
  const WebSocket dialled = dialler->dial(std::move(options), witness.listener());
  ASSERT_TRUE(witness.wait_open());
  EXPECT_EQ(seen.path, "/v1/uplink");
  EXPECT_EQ(*seen.find_query("as"), "a b");
  EXPECT_EQ(*seen.headers.find("authorization"), "Bearer x");
}

TEST(Dialler, RunsJobsNowAndLater) {
  std::atomic<int> ticks = 0;
  std::atomic<bool> was_early = false;
  std::atomic<bool> was_late = false;
  const auto dialler = start_dialler();
  dialler->every(milliseconds(2), [&] { ++ticks; });
  dialler->after(milliseconds(60), [&] { was_late = true; });
  dialler->post([&] { was_early = !was_late; });
  EXPECT_TRUE(becomes_true([&] { return was_early && was_late && ticks > 5; }));
}

}  // namespace
}  // namespace suan::net
