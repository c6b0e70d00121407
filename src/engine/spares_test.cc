#include "engine/spares.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/file.h"
#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

class SparesTest : public testing::Test {
 protected:
  SparesTest() : state_(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY)) {
    EXPECT_TRUE(make_directory(state_.get(), "spares"));
  }
  std::string at(const std::string& name) { return directory_.path() + "/a/" + name; }
  void make_used() {
    ASSERT_TRUE(make_directory(state_.get(), "a"));
    for (const char* name : {"run", "stdout", "stderr"})
      ASSERT_TRUE(replace_file(AT_FDCWD, at(name), ""));
    ASSERT_TRUE(replace_file(AT_FDCWD, at("record"), "something"));
    ASSERT_TRUE(make_directory(AT_FDCWD, at("work")));
  }
  TemporaryDirectory directory_;
  Fd state_;
};

TEST_F(SparesTest, a_clean_directory_is_used_again_also_after_a_restart) {
  make_used();
  struct stat before{};
  ASSERT_EQ(::stat(at("record").c_str(), &before), 0);
  ASSERT_TRUE(Spares(state_.get()).keep("a"));
  Spares spares(state_.get());
  ASSERT_TRUE(spares.make("b"));
  struct stat after{};
  ASSERT_EQ(::stat((directory_.path() + "/b/record").c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_TRUE(spares.make("c"));
  const auto again = spares.make("c");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Failure::Kind::conflict);
}

TEST_F(SparesTest, whatever_could_reach_the_next_attempt_is_not_kept) {
  const auto is_kept_after = [&](auto change) {
    make_used();
    change();
    const bool is_kept = Spares(state_.get()).keep("a");
    EXPECT_TRUE(remove_tree(state_.get(), "a"));
    return is_kept;
  };
  EXPECT_TRUE(is_kept_after([] {}));
  EXPECT_FALSE(
      is_kept_after([&] { ::link(at("stdout").c_str(), (directory_.path() + "/x").c_str()); }));
  EXPECT_FALSE(is_kept_after([&] { ASSERT_TRUE(replace_file(AT_FDCWD, at("stdout"), "text")); }));
  EXPECT_FALSE(is_kept_after([&] { ASSERT_TRUE(replace_file(AT_FDCWD, at("run"), "secret")); }));
  EXPECT_FALSE(is_kept_after([&] { ASSERT_TRUE(replace_file(AT_FDCWD, at("work/f"), "")); }));
  EXPECT_FALSE(is_kept_after([&] { ASSERT_TRUE(replace_file(AT_FDCWD, at("more"), "")); }));
  EXPECT_FALSE(is_kept_after([&] { ::chmod(at("work").c_str(), 0777); }));
  EXPECT_FALSE(is_kept_after([&] { ::chmod(at("stderr").c_str(), 0644); }));
  EXPECT_FALSE(is_kept_after([&] { ::unlink(at("record").c_str()); }));
  EXPECT_FALSE(is_kept_after([&] {
    ::unlink(at("run").c_str());
    ASSERT_EQ(::symlink("/etc/passwd", at("run").c_str()), 0);
  }));
}

}  // namespace
}  // namespace suan::engine
