#include "net/sse.h"

#include <vector>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::net {
namespace {

struct Heard {
  std::vector<SseEvent> events;
  Callback<bool(const SseEvent&)> take = [this](const SseEvent& event) {
    events.push_back(event);
    return true;
  };
};

TEST(Sse, ReadsTheStandardsForms) {
  Heard heard;
  SseParser parser;
  const std::string text =
      "\xEF\xBB\xBF: a comment\ndata: one\n\nid: 7\nevent:added\rdata:two\r\ndata:  three\n\n"
      "retry: 10\nevent: lost\n\ndata\n\ndata: unfinished\n";
  ASSERT_TRUE(parser.feed(text, heard.take));
  ASSERT_EQ(heard.events.size(), 3U);
  EXPECT_EQ(heard.events[0].data, "one");
  EXPECT_EQ(heard.events[0].event, "");
  EXPECT_EQ(heard.events[1].id, "7");
  EXPECT_EQ(heard.events[1].event, "added");
  EXPECT_EQ(heard.events[1].data, "two\n three");
  EXPECT_EQ(heard.events[2].data, "");
  EXPECT_EQ(heard.events[2].event, "");
  EXPECT_EQ(heard.events[2].id, "7");
  EXPECT_EQ(parser.last_id(), "7");
}

TEST(Sse, PrintedEventsReadBackInPiecesOfAnySize) {
  for_each_seed([](Random& random) {
    std::vector<SseEvent> sent;
    std::string text;
    for (std::size_t i = 1 + random.below(5U); i > 0; --i) {
      SseEvent event{.id = std::to_string(random.below(1000U)), .event = "", .data = ""};
      if (random.chance(1, 2)) event.event = "job";
      for (std::size_t n = random.below(12U); n > 0; --n) event.data += "a: \n"[random.below(4U)];
      if (random.chance(1, 3)) text += sse_keep_alive();
      text += print_event(event);
      sent.push_back(event);
    }
    if (random.chance(1, 2)) {  // The same in the line ends of another system.
      std::string other;
      for (const char c : text) other += c == '\n' ? std::string("\r\n") : std::string(1, c);
      text = other;
    }
    Heard heard;
    SseParser parser;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = std::min(rest.size(), 1 + random.below(std::size_t{9}));
      ASSERT_TRUE(parser.feed(rest.substr(0, size), heard.take));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(heard.events.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(heard.events[i].id, sent[i].id);
      EXPECT_EQ(heard.events[i].event, sent[i].event);
      EXPECT_EQ(heard.events[i].data, sent[i].data);
    }
  });
}

TEST(Sse, LineEndsCannotForgeFields) {
  const std::string text =
      print_event({.id = "1\ndata: x", .event = "a\rid: 2", .data = "b\r\nid: 3"});
  EXPECT_EQ(text, "id: 1\nevent: a\ndata: b\ndata: id: 3\n\n");
}

TEST(Sse, StopsWhereItsReaderSays) {
  int count = 0;
  Callback<bool(const SseEvent&)> once = [&](const SseEvent&) { return ++count < 2; };
  SseParser parser;
  ASSERT_TRUE(parser.feed("data: 1\n\ndata: 2\n\ndata: 3\n\n", once));
  EXPECT_EQ(count, 2);
}

TEST(Sse, HoldsNoMoreThanItsLimit) {
  Heard heard;
  SseParser parser(64);
  ASSERT_TRUE(parser.feed("data: " + std::string(40, 'x') + "\n\n", heard.take));
  EXPECT_EQ(heard.events.size(), 1U);
  const auto endless = parser.feed(std::string(65, 'y'), heard.take);
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().kind, Failure::Kind::no_space);
  SseParser lines(64);
  EXPECT_FALSE(lines.feed(
      "data: " + std::string(40, 'x') + "\ndata: " + std::string(40, 'x') + "\n", heard.take));
}

}  // namespace
}  // namespace suan::net
