#include "net/tls.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "net/client.h"
#include "net/server.h"
#include "net/socket_witness.h"
#include "net/test_certificates.h"
#include "net/wire_peer.h"
#include "testing/temporary_directory.h"

namespace suan::net {
namespace {

// Files of a certificate that holds, and of the authority behind it.
class Tls : public testing::Test {
 protected:
  Tls() {
    authority.write(ca);
    authority.certify({}, certificate, key);
  }

  std::unique_ptr<Server> start(Route route, ServerOptions options = {}) const {
    options.tls_certificate_file = certificate;
    options.tls_key_file = key;
    auto server = Server::start(std::move(options), std::move(route));
    if (!server) {
      ADD_FAILURE() << server.error().text;
      std::abort();
    }
    return std::move(*server);
  }

  static std::string place(const Server& server, const std::string& host = "127.0.0.1") {
    return "https://" + host + ":" + std::to_string(server.port());
  }

  Client client(const Server& server) const { return Client(place(server), {.ca_file = ca}); }

  // Why a client that asks `where` gets no answer.
  std::string refusal(const std::string& where) const {
    const auto answer = Client(where, {.ca_file = ca}).send({});
    return answer ? "it was answered" : answer.error().text;
  }

  // Why the files are refused.
  static std::string why_not(const std::string& certificate_file, const std::string& key_file) {
    const auto loaded = TlsServer::load(certificate_file, key_file);
    return loaded ? "they are fine" : loaded.error().text;
  }

  TemporaryDirectory directory;
  const std::string ca = directory.path() + "/ca.pem";
  const std::string certificate = directory.path() + "/certificate.pem";
  const std::string key = directory.path() + "/key.pem";
  TestAuthority authority;
};

void echo(Request&& request, Responder responder) {
  responder.respond({.content_type = "text/plain", .body = std::move(request.body)});
}

Request post(std::string body) {
  return {.method = Method::post, .path = "/", .body = std::move(body)};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

TEST_F(Tls, CarriesRequestsOverOneConnection) {
  const auto server = start(echo, {.body_bytes_max = 16U << 20U});
  Client asking = client(*server);
  for (std::size_t size : {0U, 1U, 16384U, 16385U, 100'000U, 12U << 20U, 3U}) {
    std::string body(size, 'b');
    for (std::size_t i = 0; i < size; i += 997) body[i] = static_cast<char>('a' + i % 26);
    const auto answer = asking.send(post(body));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_TRUE(answer->body == body) << size;
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(Tls, CarriesStreams) {
  const auto server = start([](Request&&, Responder responder) {
    StreamWriter writer = responder.stream(200, "text/plain");
    for (int i = 0; i < 2000; ++i) writer.write("line " + std::to_string(i) + "\n");
  });
  Client asking = client(*server);
  std::string heard;
  const auto answer = asking.stream({}, {.on_bytes = [&](std::string_view bytes) {
                                      heard += bytes;
                                      return true;
                                    }});
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(heard.starts_with("line 0\n"));
  EXPECT_TRUE(heard.ends_with("line 1999\n"));
}

TEST_F(Tls, RefusesABodyThatIsTooLargeWhileItIsSent) {
  const auto server = start(echo, {.body_bytes_max = 1000});
  const auto answer = client(*server).send(post(std::string(30U << 20U, 'x')));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 413);
}

TEST_F(Tls, IsRefusedByAClientThatDoesNotTrustIt) {
  const auto server = start(echo);
  const auto untrusted = Client(place(*server)).send({});
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().kind, Failure::Kind::unsupported);
  EXPECT_TRUE(contains(untrusted.error().text, "is not trusted here")) << untrusted.error().text;
  EXPECT_TRUE(contains(untrusted.error().text, "SUAN_CA_FILE"));
  authority.certify({.names = "DNS:suan.example,IP:10.0.0.1"}, certificate, key);
  ASSERT_TRUE(server->reload_tls());
  const std::string other_name = refusal(place(*server));
  EXPECT_TRUE(contains(other_name, "it names suan.example, 10.0.0.1")) << other_name;
  EXPECT_TRUE(contains(refusal(place(*server, "localhost")), "is for another name"));
  authority.certify({.until_s = 1}, certificate, key);
  ASSERT_TRUE(server->reload_tls());
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  EXPECT_TRUE(contains(refusal(place(*server)), "has expired"));
  const auto no_file = Client(place(*server), {.ca_file = directory.path() + "/none"}).send({});
  EXPECT_EQ(no_file.error().kind, Failure::Kind::not_found);
  const auto no_ca = Client(place(*server), {.ca_file = key}).send({});
  EXPECT_TRUE(contains(no_ca.error().text, "holds no CA certificate")) << no_ca.error().text;
}

TEST_F(Tls, TellsPlainAndTlsApart) {
  const auto plain = *Server::start({}, echo);
  const std::string text = refusal(place(*plain));
  EXPECT_TRUE(contains(text, "does not speak TLS")) << text;
  const auto server = start(echo);
  WirePeer peer(server->port());
  peer.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_TRUE(client(*server).send({}));
}

TEST_F(Tls, CutsWhoDoesNotShakeHands) {
  const auto server = start(echo, {.header_timeout = seconds(1)});
  WirePeer silent(server->port());
  WirePeer slow(server->port());
  slow.say("\x16\x03\x01\x02");
  WirePeer rude(server->port());
  rude.say(std::string(100'000, '\x16'));
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(slow.is_closed());
  EXPECT_TRUE(rude.is_closed());
  EXPECT_TRUE(client(*server).send({}));
  WirePeer last(server->port());
  server->stop({});
  EXPECT_TRUE(last.is_closed());
}

TEST_F(Tls, RefusesOldVersionsAndRenegotiation) {
  const auto server = start(echo);
  const auto shake = [&](int version) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    WirePeer peer(server->port());
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, peer.fd());
    const bool is_connected = SSL_connect(ssl) == 1;
    const bool is_renewed = is_connected && version == TLS1_2_VERSION &&
                            SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1;
    SSL_free(ssl);
    SSL_CTX_free(context);
    return std::pair(is_connected, is_renewed);
  };
  EXPECT_EQ(shake(TLS1_1_VERSION), std::pair(false, false));
  EXPECT_EQ(shake(TLS1_2_VERSION), std::pair(true, false));
  EXPECT_EQ(shake(TLS1_3_VERSION), std::pair(true, false));
}

TEST_F(Tls, DoesNotTakeACutBodyForAWholeOne) {
  const auto trust = *TlsServer::load(certificate, key);
  for (const bool is_orderly : {true, false}) {
    WireListener listener;
    std::thread server([&] {
      WirePeer peer(listener.accept());
      const auto session = trust->accept(peer.fd());
      std::string heard(4096, '\0');
      EXPECT_EQ(session->shake_hands().need, TlsSession::Need::nothing);
      EXPECT_GT(session->read(heard.data(), heard.size()).bytes, 0U);
      session->write("HTTP/1.1 200 OK\r\n\r\nhalf of it");
      if (is_orderly) session->end();
    });
    const auto answer =
        Client("https://127.0.0.1:" + std::to_string(listener.port()), {.ca_file = ca}).send({});
    server.join();
    EXPECT_EQ(answer.has_value(), is_orderly);
    const std::string text = answer ? "broke the connection" : answer.error().text;
    EXPECT_TRUE(contains(text, "broke the connection")) << text;
  }
}

TEST_F(Tls, SaysWhatIsWrongWithItsFiles) {
  const std::string path = directory.path();
  const auto with = [&](const CertificateWish& wish) {
    authority.certify(wish, path + "/other.pem", path + "/other_key.pem");
    return why_not(path + "/other.pem", path + "/other_key.pem");
  };
  EXPECT_EQ(why_not(certificate, key), "they are fine");
  EXPECT_EQ(why_not(path + "/none.pem", key),
            "cannot read the certificate " + path + "/none.pem: No such file or directory");
  EXPECT_EQ(why_not(certificate, path),
            "cannot read the private key " + path + ": Invalid argument");
  std::ofstream(path + "/words.pem") << "not a certificate\n";
  EXPECT_TRUE(contains(why_not(path + "/words.pem", key), "holds no certificate in PEM form"));
  EXPECT_TRUE(contains(why_not(certificate, path + "/words.pem"), "holds no private key"));
  EXPECT_TRUE(contains(why_not(certificate, certificate), "holds no private key"));
  EXPECT_TRUE(contains(with({.until_s = -60}), "other.pem expired on 20"));
  EXPECT_TRUE(contains(with({.from_s = 3600}), "holds only from 20"));
  EXPECT_EQ(with({}), "they are fine");
  EXPECT_EQ(why_not(certificate, path + "/other_key.pem"),
            "the private key in " + path + "/other_key.pem is not that of " + certificate);
  authority.certify({}, path + "/locked.pem", path + "/locked_key.pem", "secret");
  EXPECT_TRUE(contains(why_not(path + "/locked.pem", path + "/locked_key.pem"), "passphrase"));
  EXPECT_FALSE(Server::start({.tls_certificate_file = certificate}, echo));
  EXPECT_EQ(Server::start({.tls_certificate_file = path + "/none", .tls_key_file = key}, echo)
                .error()
                .kind,
            Failure::Kind::not_found);
}

TEST_F(Tls, ReadsItsFilesAgainWithoutCuttingAnybody) {
  const auto server = start(echo);
  Client before = client(*server);
  ASSERT_TRUE(before.send(post("a")));
  TestAuthority other("somebody else");
  const std::string other_ca = directory.path() + "/other_ca.pem";
  other.write(other_ca);
  other.certify({}, certificate, key);
  ASSERT_TRUE(server->reload_tls());
  EXPECT_EQ(before.send(post("b"))->body, "b");
  EXPECT_TRUE(contains(refusal(place(*server)), "is not trusted here"));
  EXPECT_TRUE(Client(place(*server), {.ca_file = other_ca}).send({}));
  std::ofstream(key) << "broken\n";
  EXPECT_FALSE(server->reload_tls());
  EXPECT_TRUE(Client(place(*server), {.ca_file = other_ca}).send({}));
  EXPECT_EQ(before.send(post("c"))->body, "c");
  const auto plain = *Server::start({}, echo);
  EXPECT_EQ(plain->reload_tls().error().kind, Failure::Kind::unsupported);
}

TEST_F(Tls, CarriesWebSockets) {
  const auto server = start([](Request&& request, Responder responder) {
    auto self = std::make_shared<WebSocket>();
    *self = responder.upgrade(
        request, {.message_bytes_max = 8U << 20U, .queue_bytes_max = 64U << 20U},
        {.on_message = [self](std::string&& message) { self->send(std::move(message)); },
         .on_close = [self](const SocketEnd&) {}});
  });
  const auto dialler = *Dialler::start();
  const auto dial = [&](const std::string& host, std::string ca_file, SocketWitness& witness) {
    DialOptions options{.url = "wss://" + host + ":" + std::to_string(server->port()),
                        .ca_file = std::move(ca_file),
                        .socket = {.message_bytes_max = 8U << 20U, .queue_bytes_max = 64U << 20U}};
    return dialler->dial(std::move(options), witness.listener());
  };
  SocketWitness witness;
  WebSocket socket = dial("localhost", ca, witness);
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 200; ++i) sent.emplace_back(i * 200, static_cast<char>('a' + i % 26));
  sent.emplace_back(8U << 20U, 'x');
  for (const std::string& message : sent) socket.send(message);
  ASSERT_TRUE(witness.wait_messages(sent.size()));
  EXPECT_TRUE(witness.messages() == sent);
  socket.close(1000, "done");
  EXPECT_EQ(witness.wait_end().text, "done");
  SocketWitness distrust;
  const WebSocket refused = dial("127.0.0.1", "", distrust);
  const SocketEnd end = distrust.wait_end();
  EXPECT_EQ(end.kind, SocketEnd::Kind::unreachable);
  EXPECT_TRUE(contains(end.text, "is not trusted here")) << end.text;
}

}  // namespace
}  // namespace suan::net
