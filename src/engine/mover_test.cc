#include "engine/mover.h"

#include "engine/process.h"
#include "testing/local_scene.h"
#include "testing/test_stores.h"
#include "testing/tiny_image.h"

namespace suan::engine {
namespace {

using member::LogStream;
using member::plain_launch;

class Moving : public LocalScene {
 protected:
  void SetUp() override {
    options_.stores_file = stores_.configuration();
    options_.images_directory = TinyImages::directory();
    open();
  }

  static Launch launch_of(std::uint32_t attempt = 1) {
    Launch launch = plain_launch({.job = {7}, .task = 0, .attempt = attempt});
    launch.origin = {.owner = "lab", .job = {3}, .attempt = attempt};
    return launch;
  }
  Progress move(const Payload& payload, const Launch& launch = launch_of()) {
    engine_->launch(launch, payload);
    return wait_for_end(launch.key);
  }
  std::string errors(const AttemptKey& key = member::first_key) {
    return log(key, LogStream::error);
  }

  TestStores stores_{directory_.path() + "/top"};
};

TEST_F(Moving, is_offered_with_its_stores) {
  ASSERT_TRUE(engine_->pools()[0].moves_data);
  EXPECT_EQ(engine_->pools()[0].stores, (std::vector<std::string>{"bucket", "hub"}));
}

TEST_F(Moving, inputs_are_there_before_the_start_and_outputs_are_kept) {
  const std::string url = stores_.serve();
  Payload payload;
  payload.run =
      "cat corpus/a corpus/deep/b model/8b file/8b > out/all; mkdir out/more; "
      "echo x > out/more/x";
  payload.inputs = {{"corpus", "bucket:corpus", ""},
                    {"model", "hub:llama/8b", ""},
                    {"file", url + "/hub/llama/8b?version=1", ""}};
  payload.outputs = {{"out", "bucket:run", false}};
  EXPECT_EQ(move(payload).exit_code, 0) << errors();
  const std::string kept = "bucket/lab/run/job-3-0-1/";
  EXPECT_EQ(stores_.read(kept + "all"), "one\ntwo\nweights\nweights\n");
  EXPECT_EQ(stores_.read(kept + "more/x"), "x\n");
  EXPECT_NE(errors().find("suan: output out: 26 B in 2 files"), std::string::npos) << errors();
  EXPECT_NE(errors().find("kept in bucket:run/job-3-0-1"), std::string::npos) << errors();
}

TEST_F(Moving, a_checksum_must_be_right) {
  Payload payload;
  payload.run = "echo ran";
  payload.inputs = {{"model", "hub:llama/8b", std::string(64, '0')}};
  const Progress wrong = move(payload);
  EXPECT_EQ(wrong.end, AttemptEnd::launch_failed);
  EXPECT_EQ(wrong.usage.wall, Span{});
  EXPECT_EQ(log(), "");
  const std::string words = "its checksum is sha256:";
  const std::size_t at = wrong.reason.find(words);
  ASSERT_NE(at, std::string::npos) << wrong.reason;
  const std::string told = wrong.reason.substr(at + words.size(), 64);
  ASSERT_TRUE(TestStores::shell("[[ $(sha256sum < " + stores_.path("hub/llama/8b") + ") = " + told +
                                "* ]]"));
  payload.inputs[0].sha256 = told;
  EXPECT_EQ(move(payload, launch_of(2)).exit_code, 0);
  payload.inputs = {{"corpus", "bucket:corpus", told}};
  EXPECT_NE(move(payload, launch_of(3)).reason.find("a checksum is of one file, and there are 2"),
            std::string::npos);
}

TEST_F(Moving, what_cannot_be_brought_is_named_and_nothing_runs) {
  const std::string url = stores_.serve();
  Payload payload;
  payload.run = "echo ran";
  std::uint32_t attempt = 0;
  const auto reason = [&](const std::string& source) {
    payload.inputs = {{"data", source, ""}};
    const Progress end = move(payload, launch_of(++attempt));
    EXPECT_EQ(end.end, AttemptEnd::launch_failed);
    EXPECT_EQ(log(launch_of(attempt).key), "");
    return end.reason;
  };
  EXPECT_EQ(
      reason(url + "/hub/none"),
      "the input data could not be brought: Failed to copyurl: CopyURL failed: 404 Not Found");
  EXPECT_NE(reason("bucket:none").find("directory not found"), std::string::npos);
  ASSERT_TRUE(TestStores::shell("mkdir " + stores_.path("bucket/lab/empty")));
  EXPECT_EQ(reason("bucket:empty"),
            "the input data could not be brought: there is nothing at its source");
  EXPECT_NE(reason("cold:x").find("there is no store called \"cold\" here"), std::string::npos);
  ASSERT_TRUE(TestStores::shell("mkdir " + stores_.path("bucket/other")));
  stores_.write("bucket/other/key", "secret");
  EXPECT_NE(reason("bucket:../other/key").find("there is no such place"), std::string::npos);
  EXPECT_NE(reason("bucket:other/key").find("not found"), std::string::npos);
}

TEST_F(Moving, outputs_of_a_failure_are_kept_only_always) {
  Payload payload;
  payload.run = "echo x > a/x; echo x > b/x; exit 3";
  payload.outputs = {{"a", "bucket:a", true}, {"b", "bucket:b", false}};
  EXPECT_EQ(move(payload).exit_code, 3);
  EXPECT_TRUE(stores_.has("bucket/lab/a/job-3-0-1/x"));
  EXPECT_FALSE(stores_.has("bucket/lab/b"));
}

TEST_F(Moving, a_link_shows_nothing_of_the_machine) {
  Payload payload;
  payload.run = "rmdir out; ln -s /etc out";
  payload.outputs = {{"out", "bucket:run", false}};
  const Progress end = move(payload);
  EXPECT_EQ(end.exit_code, 74);
  EXPECT_EQ(end.reason, "the output out could not be kept: there is no directory out any more");
  EXPECT_FALSE(stores_.has("bucket/lab/run"));
  payload.run = "ln -s /etc/passwd out/p; ln -s /etc out/etc; echo x > out/x";
  EXPECT_EQ(move(payload, launch_of(2)).exit_code, 0);
  EXPECT_TRUE(stores_.has("bucket/lab/run/job-3-0-2/x"));
  EXPECT_FALSE(stores_.has("bucket/lab/run/job-3-0-2/p"));
  EXPECT_FALSE(stores_.has("bucket/lab/run/job-3-0-2/etc"));
}

TEST_F(Moving, the_time_it_takes_is_not_metered) {
  stores_.write_random("big", 1'000'000);
  const std::string url = stores_.serve("500k");
  Payload payload;
  payload.run = "cp data/big out";
  payload.inputs = {{"data", url + "/big", ""}};
  payload.outputs = {{"out", "bucket:run", false}};
  const Span began = monotonic_now();
  engine_->launch(launch_of(), payload);
  EXPECT_EQ(wait_for(AttemptState::staging).state, AttemptState::staging);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.exit_code, 0) << end.reason;
  EXPECT_GE(monotonic_now() - began, milliseconds(1000));
  EXPECT_LT(end.usage.wall, milliseconds(900));
  EXPECT_TRUE(stores_.has("bucket/lab/run/job-3-0-1/big"));
}

TEST_F(Moving, a_stop_ends_it_and_a_new_server_finds_it) {
  stores_.write_random("big", 5'000'000);
  const std::string url = stores_.serve("100k");
  Payload payload;
  payload.run = "echo ran";
  payload.inputs = {{"data", url + "/big", ""}};
  engine_->launch(launch_of(), payload);
  const auto is_moving = [&] {
    return TestStores::shell("pgrep -f \"copyurl.*" + url.substr(7) + "/bi[g]\" >/dev/null");
  };
  ASSERT_TRUE(wait_until(is_moving));
  open();
  EXPECT_EQ(wait_for(AttemptState::staging).state, AttemptState::staging);
  EXPECT_TRUE(is_moving());
  stop(AttemptEnd::cancelled, seconds(30));
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_EQ(end.usage.wall, Span{});
  EXPECT_TRUE(wait_until([&] { return !is_moving(); }));
  EXPECT_EQ(log(), "");
}

TEST_F(Moving, an_image_sees_them_where_it_wants_them) {
  if (!engine_->pools()[0].runs_images) GTEST_SKIP() << engine_->images_note();
  Payload payload;
  payload.image = "tiny";
  payload.run =
      "cat /data/sets/a /data/sets/deep/b model/8b > /srv/out/all; echo x > /data/sets/x; "
      "ls /data/sets";
  payload.inputs = {{"/data/sets", "bucket:corpus", ""}, {"model", "hub:llama", ""}};
  payload.outputs = {{"/srv/out", "bucket:run", false}};
  EXPECT_EQ(move(payload).exit_code, 0) << errors();
  EXPECT_EQ(log(), "a\ndeep\nx\n");
  EXPECT_EQ(stores_.read("bucket/lab/run/job-3-0-1/all"), "one\ntwo\nweights\n");
  EXPECT_FALSE(stores_.has("bucket/lab/corpus/x"));
}

TEST_F(Moving, a_file_of_stores_that_is_none_is_named) {
  close();
  for (const char* text : {"[a b]\ntype = alias\n", "[a]\nsuan_access = everybody\n"}) {
    stores_.write("stores.conf", text);
    const auto opened = LocalEngine::open(options_);
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().place, stores_.configuration());
  }
  options_.stores_file = stores_.path("none");
  EXPECT_FALSE(LocalEngine::open(options_));
}

}  // namespace
}  // namespace suan::engine
