#include "engine/uploads.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

class UploadsTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::unique_ptr<Uploads> uploads_ = *Uploads::open(directory_.path() + "/uploads");
};

TEST_F(UploadsTest, GrowAtTheirEnd) {
  EXPECT_EQ(uploads_->size_of("1-a"), 0);
  EXPECT_EQ(*uploads_->append("1-a", 0, "hello "), 6);
  const auto again = uploads_->append("1-a", 0, "hello ");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Failure::Kind::conflict);
  EXPECT_EQ(again.error().text, "it has 6 bytes: go on from there");
  EXPECT_FALSE(uploads_->append("1-a", 7, "x"));
  EXPECT_EQ(*uploads_->append("1-a", 6, "world"), 11);
  EXPECT_EQ(*uploads_->read("1-a", 0, 100), "hello world");
  EXPECT_EQ(*uploads_->read("1-a", 6, 2), "wo");
  EXPECT_EQ(*uploads_->read("1-a", 11, 100), "");
  EXPECT_FALSE(uploads_->read("1-b", 0, 1));
  uploads_->remove("1-a");
  EXPECT_EQ(uploads_->size_of("1-a"), 0);
}

TEST_F(UploadsTest, AreBounded) {
  ASSERT_TRUE(uploads_->append("1-a", 0, "x"));
  const std::string path = uploads_->directory() + "/1-a";
  ASSERT_EQ(::truncate(path.c_str(), upload_bytes_max - 1), 0);  // A hole: it takes no disk.
  EXPECT_EQ(*uploads_->append("1-a", upload_bytes_max - 1, "y"), upload_bytes_max);
  EXPECT_EQ(uploads_->append("1-a", upload_bytes_max, "z").error().kind, Failure::Kind::no_space);
  ASSERT_TRUE(uploads_->append("1-b", 0, "xyz"));
  ASSERT_TRUE(uploads_->append("11-b", 0, "x"));
  EXPECT_EQ(uploads_->size_of_all("1-"), upload_bytes_max + 3);
}

TEST_F(UploadsTest, GoADayAfterNobodyNeedsThem) {
  for (const char* name : {"1-old", "1-wanted", "1-new"})
    ASSERT_TRUE(uploads_->append(name, 0, "x"));
  const timespec long_ago{.tv_sec = ::time(nullptr) - 90'000, .tv_nsec = 0};
  const timespec times[2] = {long_ago, long_ago};
  for (const char* name : {"1-old", "1-wanted"})
    ASSERT_EQ(::utimensat(AT_FDCWD, (uploads_->directory() + "/" + name).c_str(), times, 0), 0);
  uploads_->sweep({"1-wanted"});
  EXPECT_EQ(uploads_->size_of("1-old"), 0);
  EXPECT_EQ(uploads_->size_of("1-wanted"), 1);
  EXPECT_EQ(uploads_->size_of("1-new"), 1);
}

TEST_F(UploadsTest, OutliveTheProcess) {
  ASSERT_TRUE(uploads_->append("1-a", 0, "abc"));
  uploads_ = *Uploads::open(directory_.path() + "/uploads");
  EXPECT_EQ(uploads_->size_of("1-a"), 3);
}

}  // namespace
}  // namespace suan::engine
