#include "engine/stores.h"

#include <gtest/gtest.h>

#include "engine/mover.h"
#include "engine/rclone_words.h"
#include "testing/property.h"

namespace suan::engine {
namespace {

const StoreHouse house{.program = "/usr/bin/rclone",
                       .configuration = "/etc/rclone.conf",
                       .stores = {{"bucket", false}, {"hub", true}}};

std::string place(const std::string& text, const std::string& owner = "lab",
                  bool is_written = false) {
  const auto found = find_place(house, {.owner = owner, .job = {}, .attempt = 0}, text, is_written);
  return found ? *found : "";
}

TEST(Stores, AreTheSectionsOfAConfiguration) {
  const auto stores = parse_stores(
      R"({"hub": {"type": "alias", "suan_access": "public"}, "bucket": {"type": "s3"},)"
      R"( "c": {"suan_access": "projects"}})");
  ASSERT_TRUE(stores);
  EXPECT_EQ(*stores, (std::vector<Store>{{"bucket", false}, {"c", false}, {"hub", true}}));
  EXPECT_TRUE(parse_stores("{}")->empty());
  for (const char* text : {"", "[]", "{", R"({"a b": {}})", R"({"-a": {}})", R"({"": {}})",
                           R"({"a": {"suan_access": "all"}})"})
    EXPECT_FALSE(parse_stores(text)) << text;
}

TEST(Stores, EachOwnerHasADirectoryOfItsOwn) {
  EXPECT_EQ(place("bucket:run/1"), "bucket:lab/run/1");
  EXPECT_EQ(place("bucket:run", "lab@hubei@cn", true), "bucket:lab@hubei@cn/run");
  EXPECT_EQ(place("hub:llama"), "hub:llama");
  EXPECT_EQ(place("hub:llama", ""), "hub:llama");
}

TEST(Stores, NothingLeadsOutOfThem) {
  EXPECT_EQ(place("hub:llama", "lab", true), "");
  for (const char* text :
       {"", "bucket", "bucket:", "bucket:/", "bucket:/a", "bucket:a/", "bucket:a//b", "bucket:..",
        "bucket:../b", "bucket:a/../../b", "bucket:./a", "other:a", ":a", ":local:/etc",
        "bucket,x=y:a", "bucket:a\nb"})
    EXPECT_EQ(place(text), "") << text;
  for (const char* owner : {"", "..", ".", "a/b", "/"}) EXPECT_EQ(place("bucket:a", owner), "");
}

TEST(Stores, AFaultNamesTheFieldAndWhatThereIs) {
  Payload payload;
  Launch launch;
  launch.origin.owner = "lab";
  EXPECT_EQ(find_data_fault(house, launch, payload), "");
  payload.inputs.push_back({"data", "https://h/file", ""});
  payload.outputs.push_back({"out", "bucket:run", false});
  EXPECT_EQ(find_data_fault(house, launch, payload), "");
  payload.inputs.push_back({"more", "cold:a", ""});
  EXPECT_EQ(find_data_fault(house, launch, payload),
            "inputs of more: there is no store called \"cold\" here. Data is moved by "
            "/usr/bin/rclone; stores: bucket, hub (public).");
  payload.inputs.pop_back();
  payload.outputs[0].to = "hub:run";
  EXPECT_EQ(find_data_fault(house, launch, payload),
            "outputs of out: the store hub is public and only read");
  EXPECT_EQ(find_data_fault({}, launch, payload),
            "Inputs and outputs are refused: there is no rclone; install rclone.");
}

TEST(RcloneWords, TellFilesStatsAndTrouble) {
  const RcloneWord copied = parse_rclone_word(
      R"x({"level":"info","msg":"Copied (new)","object":"a","time":"2026-11-26T19:49:55+00:00"})x");
  EXPECT_FALSE(copied.is_trouble);
  EXPECT_EQ(copied.object, "a");
  const RcloneWord failed = parse_rclone_word(
      R"({"level":"error","msg":"Failed to copy: no\u001b[2J","object":"dir/b"})");
  EXPECT_TRUE(failed.is_trouble);
  EXPECT_EQ(failed.object, "dir/b");
  EXPECT_EQ(failed.text, "Failed to copy: no [2J");
  const RcloneWord stats = parse_rclone_word(
      R"({"level":"warning","msg":"x","stats":{"bytes":1200,"checks":1,"speed":1.5e3,)"
      R"("totalBytes":3000003,"totalChecks":1,"totalTransfers":2,"transfers":1}})");
  ASSERT_TRUE(stats.stats);
  EXPECT_EQ(*stats.stats, (TransferStats{1200, 3'000'003, 2, 3, 1}));
  EXPECT_EQ(print_stats({1'234'000'000, 10'000'000'000, 3, 12, 110'000'000}),
            "1.2 GB of 10.0 GB, 3 of 12 files, 110 MB/s");
}

TEST(RcloneWords, WhatIsNoObjectIsTroubleInItsOwnWords) {
  const RcloneWord said =
      parse_rclone_word("2026/11/26 19:49:55 Failed to copy: it is not there\n");
  EXPECT_TRUE(said.is_trouble);
  EXPECT_EQ(said.text, "Failed to copy: it is not there");
  EXPECT_EQ(parse_rclone_word("[1]").text, "[1]");
  for_each_seed([](Random& random) {
    std::string line;
    while (random.chance(9, 10)) line += static_cast<char>(random.below(256U));
    EXPECT_LE(parse_rclone_word(line).text.size(), 1000U);
  });
}

TEST(RcloneWords, SizesHaveThreeDigitsAtMost) {
  EXPECT_EQ(print_size(0), "0 B");
  EXPECT_EQ(print_size(999), "999 B");
  EXPECT_EQ(print_size(1000), "1.0 kB");
  EXPECT_EQ(print_size(99'950), "99.9 kB");
  EXPECT_EQ(print_size(123'456'789), "123 MB");
  EXPECT_EQ(print_size(INT64_MAX), "9.2 EB");
}

TEST(Mover, KnowsWhereThingsLie) {
  Payload payload;
  payload.inputs = {{"/data", "b:x", ""}, {"/a", "b:y", ""}, {"model", "b:z", ""}};
  payload.outputs = {{"/data", "b:o", false}, {"/out", "b:o", true}};
  EXPECT_EQ(directory_of_data(payload, "model"), "work/model");
  EXPECT_EQ(directory_of_data(payload, "/a"), "data/0");
  EXPECT_EQ(directory_of_data(payload, "/data"), "data/1");
  EXPECT_EQ(directory_of_data(payload, "/out"), "data/2");
  EXPECT_EQ(places_in_image(payload).size(), 3U);
  EXPECT_TRUE(has_outputs(payload, false));
  payload.outputs.pop_back();
  EXPECT_FALSE(has_outputs(payload, false));
  EXPECT_TRUE(has_outputs(payload, true));
}

}  // namespace
}  // namespace suan::engine
