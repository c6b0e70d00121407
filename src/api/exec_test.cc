#include "api/exec.h"

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::api {
namespace {

TEST(Exec, MessagesAreWhatTheTableSays) {
  EXPECT_EQ(print_exec({.kind = ExecKind::input, .bytes = "ls\n"}), "ils\n");
  EXPECT_EQ(print_exec({.kind = ExecKind::end_input}), "e");
  EXPECT_EQ(print_exec({.kind = ExecKind::resize, .rows = 24, .columns = 0x0150}),
            std::string("r\0\x18\x01\x50", 5));
  EXPECT_EQ(print_exec({.kind = ExecKind::signal, .number = 2}), "s\x02");
  EXPECT_EQ(print_exec({.kind = ExecKind::allow, .number = 0x00010203}),
            std::string("a\0\x01\x02\x03", 5));
  EXPECT_EQ(print_exec({.kind = ExecKind::end, .bytes = "gone", .exit_code = -1}),
            "q\xFF\xFF\xFF\xFFgone");
  const auto end = parse_exec(std::string_view("q\0\0\0\x07", 5));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 7);
}

TEST(Exec, RefusesWhatIsNone) {
  const std::string large(exec_piece_bytes_max + 1, 'x');
  for (const std::string& message :
       {std::string(), std::string("z"), std::string("i"), "i" + large, "o" + large,
        std::string("eX"), std::string("r\0\0\0", 4), std::string("r\0\0\0\0\0", 6),
        std::string("s"), std::string("s\0", 2), std::string("s\x20"), std::string("s\x02\x02"),
        std::string("a\0\0\0\0", 5), std::string("a\x7F\0\0\0", 5), std::string("a\0\0\1", 4),
        std::string("q\0\0\1\0", 5), std::string("q\0\0", 3), std::string("b")}) {
    EXPECT_FALSE(parse_exec(message)) << message.substr(0, 20);
  }
}

TEST(Exec, ReadsWhatItPrints) {
  for_each_seed([](Random& random) {
    const std::string_view kinds = "bierscaotxqz";
    std::string message(1 + random.below(std::size_t{9}), '\0');
    for (char& byte : message) byte = static_cast<char>(random.below(256U));
    message.front() = kinds[random.below(kinds.size())];
    const auto parsed = parse_exec(message);
    EXPECT_TRUE(!parsed || print_exec(*parsed) == message) << message;
  });
}

}  // namespace
}  // namespace suan::api
