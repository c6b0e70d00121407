#include "site/site_file.h"

#include <gtest/gtest.h>

namespace suan::site {
namespace {

constexpr const char* whole = R"(
site: {name: north, city: 上海, region: cn-sh}
engine: slurm
prices: {card_hour: 12.5, core_hour: "0.1"}
slurm:
  rest: http://127.0.0.1:6820
  user: suan
  jwt_key_file: /etc/slurm/jwt.key
  shared_directory: /shared/suan
  poll_interval: 2s
  partitions:
    - {name: main, card_hour: 20, dedicated: true}
    - name: extra
  gres: {"gpu:fake910b": Ascend910B3}
)";

std::string refused(std::string_view yaml) {
  const auto file = read_site_file(yaml, "site.yaml");
  return file ? "taken" : file.error().place + ": " + file.error().text;
}

TEST(SiteFile, is_read_with_all_it_says) {
  const auto file = read_site_file(whole, "site.yaml");
  ASSERT_TRUE(file) << file.error().place << ": " << file.error().text;
  EXPECT_EQ(file->engine(), EngineKind::slurm);
  EXPECT_EQ(*file->document.site->city, "上海");
  EXPECT_EQ(*file->document.prices->card_hour, Money{12'500'000});
  EXPECT_EQ(*find_partition(*file, "main")->card_hour, yuan(20));
  EXPECT_TRUE(*find_partition(*file, "main")->dedicated);
  EXPECT_EQ(find_partition(*file, "none"), nullptr);
  const auto options = engine_options(*file);
  EXPECT_EQ(options.look_every, seconds(2));
  EXPECT_EQ(options.offer.partitions, (std::vector<std::string>{"main", "extra"}));
  EXPECT_EQ(options.offer.gres.at("gpu:fake910b"), "Ascend910B3");
}

TEST(SiteFile, the_least_is_a_site_of_this_machine) {
  const auto file = read_site_file("site: {name: here}\n", "site.yaml");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->engine(), EngineKind::local);
}

TEST(SiteFile, an_unknown_name_is_a_mistake_with_its_place_and_the_right_one) {
  EXPECT_EQ(refused("site: {name: x}\nengien: slurm\n"),
            R"(site.yaml:2:1: engien: unknown field "engien", did you mean "engine"?)");
  EXPECT_NE(refused("engine: slrum\n").find("slurm"), std::string::npos);
}

TEST(SiteFile, says_every_mistake) {
  const std::string said = refused(
      "site: {name: North, region: CN-SH}\n"
      "engine: slurm\n"
      "slurm:\n"
      "  shared_directory: relative\n"
      "  user: ann\n"
      "  partitions: [{name: a}, {name: a}, {dedicated: true}]\n");
  for (const char* part : {"site.yaml:1:8: site.name: expected 1 to 63 lower-case",
                           "site.yaml:1:21: site.region: expected a region", "did you mean cn-sh?",
                           "site.yaml:4:3: slurm.shared_directory: expected an absolute path",
                           "site.yaml:5:3: slurm.user: is only for slurmrestd",
                           "partitions.1.name: is given twice", "partitions.2: needs a name"})
    EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
}

TEST(SiteFile, refuses_what_does_not_fit_together) {
  EXPECT_NE(refused("engine: slurm\n").find("needs a section `slurm`"), std::string::npos);
  EXPECT_NE(refused("slurm: {shared_directory: /s}\n").find("only for engine: slurm"),
            std::string::npos);
  EXPECT_NE(refused("engine: slurm\ncores: 4\nslurm: {shared_directory: /s}\n").find("/cores"), 0U);
  EXPECT_NE(refused("engine: slurm\nslurm: {shared_directory: /s, rest: ftp://x}\n")
                .find("expected http://host:port or unix:/path"),
            std::string::npos);
  EXPECT_NE(refused("engine: slurm\nslurm: {shared_directory: /s, rest: 'http://h:1', "
                    "token_file: /t, jwt_key_file: /k}\n")
                .find("not both"),
            std::string::npos);
  EXPECT_NE(refused("prices: {card_hour: -1}\n").find("never negative"), std::string::npos);
  EXPECT_NE(refused("a: b: c\n"), "taken");
}

}  // namespace
}  // namespace suan::site
