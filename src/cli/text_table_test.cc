#include "cli/text_table.h"

#include <gtest/gtest.h>

#include "cli/amounts.h"
#include "cli/golden.h"
#include "cli/width.h"
#include "testing/property.h"

namespace suan::cli {
namespace {

TEST(Width, CountsWideCharactersTwiceAndCombiningOnesNever) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("算力网"), 6U);
  EXPECT_EQ(display_width("ｆｕｌｌ"), 8U);
  EXPECT_EQ(display_width("한국어"), 6U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
  EXPECT_EQ(display_width("…"), 1U);
  EXPECT_EQ(display_width("𠀀"), 2U);
  EXPECT_EQ(display_width("\xFF\xFE"), 2U);
}

TEST(Width, CutsAtColumnsAndNotInsideACharacter) {
  EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to("abcdef", 4), "abc…");
  EXPECT_EQ(cut_to("算力网络", 5), "算力…");
  EXPECT_EQ(cut_to("算力网络", 6), "算力…");
  EXPECT_EQ(cut_to("算力网络", 1), "…");
  EXPECT_EQ(cut_to("abc", 0), "");
}

TEST(Width, CutTextFitsAndAnyBytesAreSafe) {
  for_each_seed([](Random& random) {
    std::string text;
    for (std::uint32_t i = random.below(40U); i > 0; --i) {
      const bool is_wide = random.chance(1, 3);
      text += is_wide ? "算" : std::string(1, static_cast<char>(random.below(256U)));
    }
    const std::size_t columns = random.below(std::size_t{30});
    EXPECT_LE(display_width(cut_to(text, columns)), columns);
    for (const char c : plain_line(text)) EXPECT_FALSE(c >= 0 && c < ' ') << int{c};
  });
}

TEST(Width, TakesAwayWhatATerminalWouldObey) {
  EXPECT_EQ(plain_line("a\x1b[31mb\nc\x07"), "a [31mb c ");
  EXPECT_EQ(plain_line("\xC2\x9B"
                       "31m"),
            " 31m");  // The one-character form of ESC [.
  EXPECT_EQ(plain_text("a\nb\x1b"), "a\nb ");
  EXPECT_EQ(plain_line("\xC0\xAF"), "??");
}

TextTable example() {
  TextTable table({{"NAME", Align::left, true}, {"EMPTY"}, {"COST", Align::right}, {"END"}});
  table.add({"大模型训练", "", "1,234.50 CNY", Cell("running", Colour::green)});
  table.add({"a", "", "2.00 CNY", ""});
  return table;
}

TEST(TextTable, AlignsWideCharactersAndLeavesOutEmptyColumns) {
  EXPECT_EQ(example().print({}),
            "NAME                COST  END\n"
            "大模型训练  1,234.50 CNY  running\n"
            "a               2.00 CNY\n");
}

TEST(TextTable, ShrinksToTheTerminal) {
  EXPECT_EQ(example().print({.columns = 31}),
            "NAME              COST  END\n"
            "大模型…   1,234.50 CNY  running\n"
            "a             2.00 CNY\n");
}

TEST(TextTable, PaintsWithoutChangingTheWidth) {
  EXPECT_EQ(example().print({.has_colour = true}),
            "\x1b[1mNAME\x1b[0m                \x1b[1mCOST\x1b[0m  \x1b[1mEND\x1b[0m\n"
            "大模型训练  1,234.50 CNY  \x1b[32mrunning\x1b[0m\n"
            "a               2.00 CNY\n");
}

TEST(TextTable, EveryLineFitsAndEndsWithoutSpaces) {
  for_each_seed([](Random& random) {
    TextTable table({{"A", Align::left, true}, {"B", Align::right, true}, {"C"}});
    for (int row = 0; row < 5; ++row) {
      table.add({std::string(random.below(std::size_t{40}), 'x'),
                 std::string(random.below(std::size_t{40}), 'y'), "z"});
    }
    const std::string text = table.print({.columns = 30});
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      EXPECT_LE(display_width(line), 30U) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
      rest.remove_prefix(line.size() + 1);
    }
  });
}

TEST(Amounts, TimesForPeople) {
  const Moment now{1'800'000'000'000'000};
  EXPECT_EQ(print_ago({}, now), "");
  EXPECT_EQ(print_ago(now, now), "now");
  EXPECT_EQ(print_ago(now - seconds(200), now), "3m20s ago");
  EXPECT_EQ(print_ago(now - minutes(45), now), "45m ago");
  EXPECT_EQ(print_ago(now + hours(2), now), "in 2h");
  EXPECT_EQ(print_ago(now - hours(50), now), "2d2h ago");
  EXPECT_EQ(print_ago(now - hours(24 * 400), now), "400d ago");
  EXPECT_EQ(print_rough(milliseconds(250)), "0.25s");
  EXPECT_EQ(print_rough({}), "");
}

TEST(Amounts, MoneyIsExact) {
  EXPECT_EQ(print_balance({}), "0.00 CNY");
  EXPECT_EQ(print_cny({}), "");
  EXPECT_EQ(print_balance(yuan(1'234'567)), "1,234,567.00 CNY");
  EXPECT_EQ(print_balance({-1'500'000}), "-1.50 CNY");
  EXPECT_EQ(print_balance({1}), "0.000001 CNY");
  EXPECT_EQ(print_balance({INT64_MAX}), "9,223,372,036,854.775807 CNY");
}

TEST(Amounts, CountsAndSizes) {
  EXPECT_EQ(print_milli(8000), "8");
  EXPECT_EQ(print_milli(250), "0.25");
  EXPECT_EQ(print_cards("H800-SXM", 8000, 64000), "H800-SXM:8");
  EXPECT_EQ(print_cards("", 0, 1000), "1 core");
  EXPECT_EQ(print_cards("", 0, 500), "0.5 cores");
  EXPECT_EQ(print_size(512'000'000'000), "512 GB");
  EXPECT_EQ(print_size(1'536'000'000), "1.5 GB");
  EXPECT_EQ(print_size(INT64_MAX), "922.3 PB");
  EXPECT_EQ(print_count(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace suan::cli
