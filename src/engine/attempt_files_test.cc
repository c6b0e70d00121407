#include "engine/attempt_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/property.h"
#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

constexpr AttemptKey key{.job = {12}, .task = 3, .attempt = 2};

RecordEntry launch_entry() {
  RecordEntry entry;
  entry.launch.emplace();
  entry.launch->launch.key = key;
  entry.launch->payload.run = "echo hello";
  entry.launch->boot_id = "this boot";
  return entry;
}

RecordEntry claim_entry(std::int32_t pid) {
  RecordEntry entry;
  entry.claim = ClaimRecord{.boot_id = "this boot", .supervisor = {.pid = pid, .start_ticks = 9}};
  return entry;
}

RecordEntry end_entry() {
  RecordEntry entry;
  entry.end.emplace();
  entry.end->key = key;
  entry.end->state = AttemptState::ended;
  entry.end->end = AttemptEnd::exited;
  entry.end->exit_code = 7;
  return entry;
}

TEST(AttemptFiles, keys_have_one_name_each) {
  EXPECT_EQ(print_key(key), "12-3-2");
  EXPECT_EQ(parse_key("12-3-2"), key);
  for (const char* wrong : {"", "12", "12-3", "12-3-", "12-3-2-1", "012-3-2", "-1-3-2", "12-3-x",
                            "12-4294967296-1", "+12-3-2"})
    EXPECT_FALSE(parse_key(wrong)) << wrong;
}

TEST(AttemptFiles, a_record_says_the_first_of_each_kind) {
  const std::string file = frame(wire::encode(launch_entry())) +
                           frame(wire::encode(claim_entry(5))) +
                           frame(wire::encode(claim_entry(6))) + frame(wire::encode(end_entry()));
  const AttemptRecord record = parse_record(file, &key);
  ASSERT_TRUE(record.launch && record.claim && record.end);
  EXPECT_FALSE(record.started);
  EXPECT_EQ(record.launch->payload.run, "echo hello");
  EXPECT_EQ(record.claim->supervisor.pid, 5);
  EXPECT_EQ(record.end->exit_code, 7);
  EXPECT_EQ(record.bytes_whole, file.size());
  EXPECT_FALSE(record.is_torn);
}

// A crash may cut the file anywhere: what is whole is read, what is not is absent.
TEST(AttemptFiles, a_cut_anywhere_leaves_what_was_whole) {
  const std::string first = frame(wire::encode(launch_entry()));
  const std::string file = first + frame(wire::encode(end_entry()));
  for (std::size_t length = 0; length < file.size(); ++length) {
    const AttemptRecord record = parse_record(std::string_view(file).substr(0, length), &key);
    EXPECT_EQ(record.launch.has_value(), length >= first.size());
    EXPECT_FALSE(record.end);
    EXPECT_EQ(record.bytes_whole, length >= first.size() ? first.size() : 0);
    EXPECT_EQ(record.is_torn, length != 0 && length != first.size());
  }
}

TEST(AttemptFiles, a_changed_byte_is_noticed) {
  const std::string file = frame(wire::encode(end_entry()));
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(parse_record(changed, &key).end) << at;
  }
}

TEST(AttemptFiles, zeros_are_no_record) {
  EXPECT_EQ(parse_record(std::string(4096, '\0'), nullptr).bytes_whole, 0U);
}

TEST(AttemptFiles, an_entry_of_another_key_or_an_end_that_is_none_is_damage) {
  const std::string file = frame(wire::encode(end_entry()));
  const AttemptKey other{.job = {12}, .task = 3, .attempt = 3};
  EXPECT_FALSE(parse_record(file, &other).end);
  RecordEntry running = end_entry();
  running.end->state = AttemptState::running;
  EXPECT_FALSE(parse_record(frame(wire::encode(running)), &key).end);
  RecordEntry unknown = end_entry();
  unknown.end->end = static_cast<AttemptEnd>(200);
  EXPECT_FALSE(parse_record(frame(wire::encode(unknown)), &key).end);
}

TEST(AttemptFiles, every_end_can_be_asked_for_and_told) {
  for (auto end = AttemptEnd::exited; end <= attempt_end_last;
       end = static_cast<AttemptEnd>(static_cast<int>(end) + 1)) {
    RecordEntry entry = end_entry();
    entry.end->end = end;
    EXPECT_TRUE(parse_record(frame(wire::encode(entry)), &key).end) << static_cast<int>(end);
    ControlRecord control;
    control.stop = end;
    EXPECT_TRUE(parse_control(frame(wire::encode(control)))) << static_cast<int>(end);
  }
}

TEST(AttemptFiles, a_shorter_record_replaces_a_longer_one_whole) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/record";
  RecordEntry longer = launch_entry();
  longer.launch->payload.run = std::string(10'000, 'x');
  ASSERT_TRUE(begin_record(AT_FDCWD, path, longer));
  ASSERT_TRUE(append_record(AT_FDCWD, path, claim_entry(5)));
  ASSERT_TRUE(begin_record(AT_FDCWD, path, launch_entry()));
  const AttemptRecord record = read_record(AT_FDCWD, path, key);
  EXPECT_TRUE(record.launch);
  EXPECT_FALSE(record.claim);
  EXPECT_FALSE(record.is_torn);
}

TEST(AttemptFiles, of_many_claims_one_wins) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/record";
  ASSERT_TRUE(begin_record(AT_FDCWD, path, launch_entry()));
  constexpr int claimants = 30;
  for (int i = 0; i < claimants; ++i) {
    if (::fork() != 0) continue;
    const ClaimRecord claim{.boot_id = "this boot", .supervisor = this_process()};
    ::_exit(claim_record(AT_FDCWD, path, key, claim) ? 1 : 0);
  }
  int winners = 0;
  for (int i = 0; i < claimants; ++i) {
    int status = 0;
    ASSERT_GT(::wait(&status), 0);
    ASSERT_TRUE(WIFEXITED(status));
    winners += WEXITSTATUS(status);
  }
  EXPECT_EQ(winners, 1);
}

TEST(AttemptFiles, records_survive_the_round_trip) {
  for_each_seed([](Random& random) {
    RecordEntry entry = launch_entry();
    entry.launch->received = {static_cast<std::int64_t>(random.below(1'000'000'000U))};
    entry.launch->devices = {random.below(8U), 8 + random.below(8U)};
    entry.launch->roots.v2 = std::string(random.below(300U), 'v');
    entry.launch->quota_cpu_milli = random.between(0, 128'000);
    const std::string bytes = wire::encode(entry);
    const auto back = wire::decode<RecordEntry>(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(wire::encode(*back), bytes);
    EXPECT_EQ(back->launch->devices, entry.launch->devices);
    EXPECT_EQ(back->launch->received, entry.launch->received);
  });
}

}  // namespace
}  // namespace suan::engine
