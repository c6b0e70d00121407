#include "engine/log_store.h"

#include <memory>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/attempt_files.h"
#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

using member::LogStream;

class Logs : public testing::Test {
 protected:
  Logs() : state_(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY)) {
    for (const char* each : {"attempts", "logs"}) EXPECT_TRUE(make_directory(state_.get(), each));
    open();
  }
  void open() { store_ = std::make_unique<LogStore>(state_.get(), limits_); }

  static AttemptKey key(std::uint64_t job) { return {.job = {job}, .task = 0, .attempt = 1}; }

  std::string path(std::uint64_t job, const char* name) {
    return directory_.path() + "/" + directory_of(key(job)) + "/" + name;
  }
  void add(std::uint64_t job, std::string_view output, bool has_ended = true) {
    ASSERT_TRUE(make_directory(state_.get(), directory_of(key(job))));
    ASSERT_TRUE(replace_file(AT_FDCWD, path(job, "stdout"), output));
    ASSERT_TRUE(replace_file(AT_FDCWD, path(job, "stderr"), ""));
    if (!has_ended) return;
    RecordEntry entry;
    entry.end.emplace();
    entry.end->key = key(job);
    entry.end->state = AttemptState::ended;
    entry.end->end = AttemptEnd::exited;
    ASSERT_TRUE(begin_record(AT_FDCWD, path(job, "record"), entry));
  }
  void forget(std::uint64_t job) {
    store_->forget(key(job));
    EXPECT_TRUE(remove_tree(state_.get(), directory_of(key(job))));
  }
  std::string text(std::uint64_t job, std::uint64_t offset = 0, std::size_t bytes_max = 1000) {
    const auto piece = store_->read(key(job), LogStream::output, offset, bytes_max);
    return piece ? piece->bytes : "no log";
  }

  TemporaryDirectory directory_;
  Fd state_;
  LogLimits limits_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(Logs, a_running_log_has_no_end_yet) {
  add(1, "words", false);
  const auto piece = store_->read(key(1), LogStream::output, 0, 100);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->bytes, "words");
  EXPECT_FALSE(piece->is_end);
}

TEST_F(Logs, the_end_comes_with_the_last_byte) {
  add(1, "words");
  EXPECT_FALSE(store_->read(key(1), LogStream::output, 0, 4)->is_end);
  EXPECT_TRUE(store_->read(key(1), LogStream::output, 0, 5)->is_end);
  EXPECT_TRUE(store_->read(key(1), LogStream::output, 900, 5)->is_end);
}

TEST_F(Logs, a_long_log_reads_as_its_start_and_a_line) {
  limits_.stream_bytes_max = 4096;
  open();
  add(1, std::string(1 << 20U, 'x'));
  ASSERT_TRUE(store_->cut(key(1)));
  struct stat status{};
  ASSERT_EQ(::stat(path(1, "stdout").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 1 << 20U);
  EXPECT_LE(status.st_blocks * 512, 64 << 10U);  // The disk behind the limit is free again.
  std::string all;
  while (true) {
    const auto piece = store_->read(key(1), LogStream::output, all.size(), 1000);
    ASSERT_TRUE(piece);
    ASSERT_LE(piece->bytes.size(), 1000U);
    all += piece->bytes;
    if (piece->is_end) break;
    ASSERT_FALSE(piece->bytes.empty());
  }
  EXPECT_EQ(all.substr(0, 4096), std::string(4096, 'x'));
  EXPECT_EQ(all.substr(4096).find("\n[log cut"), 0U);
}

TEST_F(Logs, forgotten_logs_stay_within_their_bounds) {
  limits_.kept_files_max = 3;
  open();
  for (std::uint64_t job = 1; job <= 5; ++job) {
    add(job, "job " + std::to_string(job));
    forget(job);
  }
  EXPECT_EQ(text(1), "");  // Still known, but dropped.
  EXPECT_EQ(text(3), "job 3");
  EXPECT_EQ(text(5), "job 5");
  limits_.kept_files_max = 100;
  limits_.kept_bytes_max = 7;
  open();
  EXPECT_EQ(text(5), "job 5");
  EXPECT_EQ(text(4), "");
}

TEST_F(Logs, what_is_forgotten_is_known_after_a_restart) {
  add(1, "");
  forget(1);
  store_->forget(key(2));  // Never was here.
  open();
  EXPECT_TRUE(store_->is_forgotten(key(1)));
  EXPECT_TRUE(store_->is_forgotten(key(2)));
  EXPECT_FALSE(store_->is_forgotten(key(3)));
  const auto piece = store_->read(key(1), LogStream::output, 0, 10);
  ASSERT_TRUE(piece);
  EXPECT_TRUE(piece->is_end);
  EXPECT_EQ(store_->read(key(3), LogStream::output, 0, 10).error().kind, Failure::Kind::not_found);
}

TEST_F(Logs, a_torn_line_of_the_forgotten_is_passed_over) {
  store_->forget(key(1));
  store_.reset();
  const Fd file(::openat(state_.get(), "forgotten", O_WRONLY | O_APPEND));
  ASSERT_TRUE(write_whole(file.get(), "garbage\n2-0-"));
  open();
  EXPECT_TRUE(store_->is_forgotten(key(1)));
  EXPECT_FALSE(store_->is_forgotten(key(2)));
}

}  // namespace
}  // namespace suan::engine
