#include "engine/survey.h"

#include <future>

#include "engine/process.h"
#include "engine/programs.h"
#include "engine/speeds.h"
#include "testing/local_scene.h"
#include "testing/temporary_directory.h"
#include "testing/test_stores.h"

namespace suan::engine {
namespace {

using member::plain_launch;

TEST(Speeds, TheLastLargeTransferTells) {
  const TemporaryDirectory directory;
  const std::string speeds = directory.path() + "/speeds";
  EXPECT_EQ(find_speed(speeds, "hot:a").bytes_per_second, 0);
  note_speed(speeds, "hot:a/b", 10'000'000, seconds(2));
  note_speed(speeds, "https://example.org:8443/a?x=1", 4'000'000, seconds(4));
  EXPECT_EQ(find_speed(speeds, "hot:other").bytes_per_second, 5'000'000);
  EXPECT_LT(find_speed(speeds, "hot:other").age, minutes(1));
  EXPECT_EQ(find_speed(speeds, "https://example.org:8443/b").bytes_per_second, 1'000'000);
  EXPECT_EQ(find_speed(speeds, "https://example.org/b").bytes_per_second, 0);
  note_speed(speeds, "hot:a", bytes_that_tell_speed - 1, seconds(9));  // Too little to tell.
  note_speed(speeds, "../hot:a", 10'000'000, seconds(1));              // No name of a file.
  EXPECT_EQ(find_speed(speeds, "hot:a").bytes_per_second, 5'000'000);
  EXPECT_EQ(names_in(AT_FDCWD, speeds),
            (std::vector<std::string>{"host.example.org:8443", "store.hot"}));
  ASSERT_TRUE(replace_file(AT_FDCWD, speeds + "/store.hot", "{"));
  EXPECT_EQ(find_speed(speeds, "hot:a").bytes_per_second, 0);
}

class Surveying : public testing::Test {
 protected:
  SourceFound look(const std::string& source, const std::string& owner = "lab") {
    return survey_source(house_, {.owner = owner, .job = {}, .attempt = 0}, source, seconds(8));
  }

  TemporaryDirectory directory_;
  TestStores stores_{directory_.path() + "/top"};
  StoreHouse house_ = *open_stores(stores_.configuration());
};

TEST_F(Surveying, SaysHowMuchASourceHolds) {
  const auto holds = [&](const std::string& source, std::int64_t bytes, std::int64_t files) {
    const SourceFound found = look(source);
    EXPECT_EQ(found.problem, "") << source;
    EXPECT_EQ(found.bytes, bytes) << source;
    EXPECT_EQ(found.files, files) << source;
  };
  holds("bucket:corpus", 8, 2);
  holds("bucket:corpus/a", 4, 1);
  holds("hub:llama", 8, 1);
  holds(stores_.serve() + "/hub/llama/8b", 8, 1);
}

TEST_F(Surveying, SaysWhyItDoesNotKnow) {
  const std::string url = stores_.serve();
  EXPECT_NE(look("bucket:nothing").problem.find("directory not found"), std::string::npos)
      << look("bucket:nothing").problem;
  EXPECT_NE(look("bucket:corpus", "other").problem.find("directory not found"), std::string::npos);
  EXPECT_NE(look("cold:corpus").problem.find("no store called \"cold\""), std::string::npos);
  EXPECT_NE(look("bucket:../other").problem, "");
  EXPECT_NE(look("bucket:corpus", "").problem, "");
  EXPECT_NE(look(url + "/none").problem, "");
  EXPECT_EQ(look(url + "/hub/llama/8b?version=1").problem,
            "the size of what is behind such a URL shows when it is brought");
  EXPECT_NE(look("http://127.0.0.1:9/file").problem, "");
  house_.program.clear();
  EXPECT_EQ(look("bucket:corpus").problem, "there is no rclone");
}

TEST_F(Surveying, DoesNotWaitForLong) {
  const Span began = monotonic_now();
  const auto said = ask_program({"/bin/sleep", "20"}, 100, milliseconds(100));
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().text, "it takes too long");
  EXPECT_LT(monotonic_now() - began, seconds(10));
}

TEST_F(Surveying, ManyAreAnsweredAndNoneIsForgotten) {
  std::vector<std::future<DataAnswer>> answers;
  {
    Surveyor surveyor(house_);
    for (int i = 0; i < 80; ++i) {
      auto promise = std::make_shared<std::promise<DataAnswer>>();
      answers.push_back(promise->get_future());
      surveyor.ask({"lab", {"bucket:corpus"}},
                   [promise](DataAnswer answer) { promise->set_value(std::move(answer)); });
    }
    EXPECT_EQ(answers.front().get().sources.front().bytes, 8);
  }
  bool has_refused = false;
  for (std::size_t i = 1; i < answers.size(); ++i) {
    const DataAnswer answer = answers[i].get();
    EXPECT_NE(answer.problem.empty(), answer.sources.empty());
    has_refused = has_refused || !answer.problem.empty();
  }
  EXPECT_TRUE(has_refused);
}

class SpeedSeen : public LocalScene {
 protected:
  void SetUp() override {
    options_.stores_file = stores_.configuration();
    open();
  }
  TestStores stores_{directory_.path() + "/top"};
};

TEST_F(SpeedSeen, AnEngineSaysHowQuicklyInputsCameLast) {
  const auto ask = [&] {
    std::promise<DataAnswer> promise;
    engine_->survey({"lab", {"bucket:big", "hub:llama"}},
                    [&](DataAnswer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  };
  stores_.write_random("bucket/lab/big", 3'000'000);
  const DataAnswer before = ask();
  ASSERT_EQ(before.sources.size(), 2U) << before.problem;
  EXPECT_EQ(before.sources[0].bytes, 3'000'000) << before.sources[0].problem;
  EXPECT_EQ(before.sources[0].bytes_per_second, 0);
  Launch launch = plain_launch({.job = {7}, .task = 0, .attempt = 1});
  launch.origin = {.owner = "lab", .job = {3}, .attempt = 1};
  Payload payload;
  payload.run = "test -s big/big";
  payload.inputs = {{"big", "bucket:big", ""}};
  engine_->launch(launch, payload);
  EXPECT_EQ(wait_for_end(launch.key).exit_code, 0);
  const DataAnswer after = ask();
  EXPECT_GT(after.sources[0].bytes_per_second, 0);
  EXPECT_LT(after.sources[0].speed_age, minutes(1));
  EXPECT_EQ(after.sources[1].bytes_per_second, 0);
}

}  // namespace
}  // namespace suan::engine
