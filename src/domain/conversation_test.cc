#include "testing/conversation.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

/// tests/conversations/*.txt: blocks of commands, `----`, and what followed from them.
/// SUAN_REWRITE=1 writes them anew.
namespace suan::domain {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The file as it should be: its commands and comments, each block with what follows now.
std::string held_again(std::string_view text, Conversation& conversation) {
  std::string out;
  std::string answer;
  bool is_answer = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (is_answer && !line.empty()) continue;  // What followed before.
    if (line == "----") {
      out += line + "\n" + std::exchange(answer, {});
      is_answer = true;
      continue;
    }
    is_answer = false;
    if (!line.empty() && line.front() != '#') answer += conversation.say(line);
    out += line + "\n";
  }
  EXPECT_EQ(answer, "") << "a block without ----";
  return out;
}

TEST(Conversations, GoAsTheyWentBefore) {
  const fs::path folder =
      fs::path(__FILE__).parent_path().parent_path().parent_path() / "tests/conversations";
  const bool is_rewriting = std::getenv("SUAN_REWRITE") != nullptr;
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt") continue;
    SCOPED_TRACE(entry.path().string());
    ++count;
    Conversation conversation;
    const std::string before = slurp(entry.path());
    const std::string now = held_again(before, conversation);
    if (is_rewriting)
      std::ofstream(entry.path(), std::ios::binary) << now;
    else
      EXPECT_EQ(now, before);
    State again = conversation.state();
    again.reindex();
    EXPECT_EQ(derived_of(again), derived_of(conversation.state()));
  }
  EXPECT_GE(count, 12U);
}

}  // namespace
}  // namespace suan::domain
