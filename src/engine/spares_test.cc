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
  ASSERT_TRUE(spares.put(*spares.take(), "b"));
  struct stat after{};
  ASSERT_EQ(::stat((directory_.path() + "/b/record").c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
}

TEST_F(SparesTest, what_is_taken_and_not_put_anywhere_is_a_spare_again) {
  {
    Spares spares(state_.get());
    const auto taken = spares.take();
    ASSERT_TRUE(taken && spares.put(*taken, "b"));
    const auto other = spares.take();
    ASSERT_TRUE(other);
    const auto refused = spares.put(*other, "b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::Kind::conflict);
    EXPECT_EQ(*spares.take(), *other);
  }
  // The process has died with the directory in its hands.
  EXPECT_EQ(names_in(state_.get(), "spares").size(), 1U);
  Spares after(state_.get());
  EXPECT_TRUE(after.put(*after.take(), "c"));
  EXPECT_TRUE(names_in(state_.get(), "spares").empty());
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
