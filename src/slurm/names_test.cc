#include "slurm/names.h"

#include <gtest/gtest.h>

namespace suan::slurm {
namespace {

std::string expanded(std::string_view text) {
  const auto hosts = expand_hosts(text);
  if (!hosts) return "refused";
  std::string line;
  for (const std::string& host : *hosts) line += (line.empty() ? "" : " ") + host;
  return line;
}

std::string read(std::string_view text) {
  const auto list = parse_gres(text);
  if (!list) return "refused";
  std::string line;
  for (const Gres& each : *list)
    line += (line.empty() ? "" : " ") + each.name + "=" + std::to_string(each.count);
  return line;
}

TEST(Names, expands_lists_of_nodes) {
  EXPECT_EQ(expanded("n1"), "n1");
  EXPECT_EQ(expanded("n[1-3,07],login"), "n1 n2 n3 n07 login");
  EXPECT_EQ(expanded("rack[08-11]-a"), "rack08-a rack09-a rack10-a rack11-a");
  EXPECT_EQ(expanded("(null)"), "");
  EXPECT_EQ(expanded(""), "");
}

TEST(Names, refuses_what_is_no_list_of_nodes) {
  for (const char* text : {"n[1-", "n]1[", "n[3-1]", "n[a-b]", "n[1-99999999]", "a,,b", "n[[1]]",
                           "n[1]x[2]", "n[1-2-3]", "a b", "n[]"})
    EXPECT_EQ(expanded(text), "refused") << text;
}

TEST(Names, reads_generic_resources) {
  EXPECT_EQ(read("gpu:fake910b:8,dcu:k100:4"), "gpu:fake910b=8 dcu:k100=4");
  EXPECT_EQ(read("gpu:a100:8(S:0-1)"), "gpu:a100=8");
  EXPECT_EQ(read("gpu:a100:2(IDX:0,3),dcu:k100:0"), "gpu:a100=2 dcu:k100=0");
  EXPECT_EQ(read("gres:gpu:fake910b:2"), "gpu:fake910b=2");
  EXPECT_EQ(read("gpu:8"), "gpu=8");
  EXPECT_EQ(read("gpu:h100"), "gpu:h100=1");
  EXPECT_EQ(read("shard:2K"), "shard=2048");
  EXPECT_EQ(read("(null)"), "");
  EXPECT_EQ(read("gpu:a:1,gpu:a:2"), "gpu:a=3");
}

TEST(Names, refuses_what_are_no_generic_resources) {
  for (const char* text : {"gpu:a:-1", "gpu:a:9999999999", ",", "gpu:(", "gp u:1", "gpu:a:1)"})
    EXPECT_EQ(read(text), "refused") << text;
}

TEST(Names, counts_the_types_of_a_resource) {
  const std::vector<Gres> list{{"gpu:a", 2}, {"gpu:b", 3}, {"dcu", 4}};
  EXPECT_EQ(count_of(list, "gpu"), 5U);
  EXPECT_EQ(count_of(list, "gpu:b"), 3U);
  EXPECT_EQ(count_of(list, "gp"), 0U);
}

TEST(Names, reads_settings_and_sizes) {
  EXPECT_EQ(find_setting("cpu=2,mem=1000M,gres/gpu=2", "mem"), "1000M");
  EXPECT_EQ(find_setting("cpu=2,mem=1000M", "em"), "");
  EXPECT_EQ(parse_mebibytes("1000M"), 1000);
  EXPECT_EQ(parse_mebibytes("1000"), 1000);
  EXPECT_EQ(parse_mebibytes("2.50G"), 2560);
  EXPECT_EQ(parse_mebibytes("1T"), 1024 * 1024);
  EXPECT_EQ(parse_mebibytes("many"), -1);
  EXPECT_EQ(parse_mebibytes(""), -1);
}

}  // namespace
}  // namespace suan::slurm
