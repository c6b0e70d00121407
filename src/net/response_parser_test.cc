#include "net/response_parser.h"

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::net {
namespace {

struct Outcome {
  bool is_done = false;
  bool is_failed = false;
  Failure::Kind kind{};
  std::size_t taken = 0;
  Response response;
  bool keeps_alive = false;
};

// Feeds `text` in pieces of the given size.
Outcome read(std::string_view text, std::size_t piece, bool is_head = false, bool ends = false) {
  ResponseParser parser(512, 1024);
  parser.start(is_head);
  Outcome out;
  while (out.taken < text.size() && !parser.is_done()) {
    const auto taken = parser.feed(text.substr(out.taken, piece));
    if (!taken) {
      out.is_failed = true;
      out.kind = taken.error().kind;
      return out;
    }
    out.taken += *taken;
  }
  if (ends && !parser.finish()) out.is_failed = true;
  out.is_done = parser.is_done();
  out.response = parser.response();
  out.keeps_alive = parser.keeps_alive();
  return out;
}

TEST(ResponseParser, ReadsEveryFramingInPiecesOfAnySize) {
  const std::string with_length =
      "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nX-A:  b \r\nContent-Length: "
      "5\r\n\r\nhello";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n"
      "3\r\nhel\r\n02;x=y\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (std::size_t piece = 1; piece < 200; ++piece) {
    const Outcome first = read(with_length, piece);
    ASSERT_TRUE(first.is_done) << piece;
    EXPECT_EQ(first.response.status, 201);
    EXPECT_EQ(first.response.content_type, "text/plain");
    EXPECT_EQ(*first.response.headers.find("x-a"), "b");
    EXPECT_EQ(first.response.body, "hello");
    EXPECT_TRUE(first.keeps_alive);
    const Outcome second = read(chunked + "HTTP", piece);
    ASSERT_TRUE(second.is_done) << piece;
    EXPECT_EQ(second.response.body, "hello");
    EXPECT_EQ(second.taken, chunked.size());
  }
}

TEST(ResponseParser, ReadsABodyThatEndsWithTheConnection) {
  const Outcome done = read("HTTP/1.0 200 OK\r\n\r\nall of it", 4, false, true);
  EXPECT_TRUE(done.is_done);
  EXPECT_EQ(done.response.body, "all of it");
  EXPECT_FALSE(done.keeps_alive);
}

TEST(ResponseParser, AnAnswerCutShortIsAFailure) {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    EXPECT_TRUE(read(text, 1000, false, true).is_failed) << text;
  }
}

TEST(ResponseParser, KnowsWhichAnswersHaveNoBody) {
  EXPECT_TRUE(read("HTTP/1.1 204 No Content\r\n\r\n", 1).is_done);
  EXPECT_TRUE(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 1).is_done);
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 1, true).is_done);
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1).is_done);
}

TEST(ResponseParser, PassesOverInterimAnswers) {
  const Outcome done = read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz",
      3);
  ASSERT_TRUE(done.is_done);
  EXPECT_EQ(done.response.status, 200);
  EXPECT_EQ(done.response.headers.find("link"), nullptr);
  EXPECT_EQ(done.response.body, "z");
}

TEST(ResponseParser, HonoursTheConnectionField) {
  EXPECT_FALSE(read("HTTP/1.1 204 X\r\nConnection: foo, Close\r\n\r\n", 99).keeps_alive);
  EXPECT_TRUE(read("HTTP/1.0 204 X\r\nConnection: keep-alive\r\n\r\n", 99).keeps_alive);
  EXPECT_FALSE(read("HTTP/1.0 204 X\r\n\r\n", 99).keeps_alive);
}

TEST(ResponseParser, RefusesWhatIsMalformed) {
  for (const char* text :
       {"HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "hello\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 -20 OK\r\n\r\n",
        "HTTP/1.1 101 Switch\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: x\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"}) {
    const Outcome out = read(text, 1000);
    EXPECT_TRUE(out.is_failed) << text;
    EXPECT_EQ(out.kind, Failure::Kind::invalid) << text;
    EXPECT_TRUE(read(text, 1).is_failed) << text;
  }
}

TEST(ResponseParser, HoldsNoMoreThanItsLimits) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string fields(600, 'a');
  std::string trailers;
  for (int i = 0; i < 200; ++i) trailers += "a: b\r\n";
  for (const std::string& text :
       {ok + "A: " + fields, ok + "A: " + fields + "\r\n\r\n",
        ok + "Content-Length: 1025\r\n\r\n" + std::string(1025, 'x'),
        chunked + "401\r\n" + std::string(1025, 'x'), ok + "\r\n" + std::string(1025, 'x'),
        chunked + "1;" + std::string(600, 'e') + "\r\n", chunked + "0\r\n" + trailers}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, text.size()}) {
      const Outcome out = read(text, piece);
      EXPECT_TRUE(out.is_failed) << text.substr(0, 60) << " by " << piece;
      EXPECT_EQ(out.kind, Failure::Kind::no_space);
    }
  }
  EXPECT_TRUE(read(ok + "Content-Length: 1024\r\n\r\n" + std::string(1024, 'x'), 7).is_done);
}

TEST(ResponseParser, MessagesKnowTheirNames) {
  EXPECT_EQ(parse_method("DELETE"), Method::delete_);
  EXPECT_EQ(parse_method("delete"), std::nullopt);
  EXPECT_EQ(print_method(Method::options), "OPTIONS");
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"content-type", "b"}};
  EXPECT_EQ(*headers.find("CONTENT-TYPE"), "a");
  headers.set("Content-type", "c");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(*headers.find("content-type"), "c");
  EXPECT_EQ(headers.find("content"), nullptr);
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(299), "Status");
  EXPECT_EQ(make_problem(400, "bad", "a \"b\"\n").body,
            "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"code\":\"bad\","
            "\"detail\":\"a \\\"b\\\"\\u000a\"}\n");
}

}  // namespace
}  // namespace suan::net
