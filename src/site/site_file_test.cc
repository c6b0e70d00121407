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

TEST(SiteFile, says_what_the_hours_of_a_day_are_like) {
  std::string hours = "[";
  for (int hour = 0; hour < 24; ++hour) hours += (hour > 0 ? ", " : "") + std::to_string(hour * 10);
  const auto file = read_site_file("site: {utc_offset: \"+05:00\"}\nprices: {rates: " + hours +
                                       "]}\nenergy: {pue: 1.25, carbon: " + hours + "]}\n",
                                   "site.yaml");
  ASSERT_TRUE(file) << file.error().place << ": " << file.error().text;
  Pool pool;
  set_terms(*file, pool);
  EXPECT_TRUE(is_sound(pool.rates, rate_max));
  EXPECT_EQ(pool.rates.from, Moment{hours_of_day * 3'600'000'000LL - 5 * 3'600'000'000LL});
  EXPECT_EQ(pool.rates.values[7], 700U);  // Thousandths; the file has percent.
  Site site;
  set_energy(*file, site);
  EXPECT_EQ(site.pue_milli, 1250U);
  EXPECT_EQ(site.carbon_hours.values[7], 70U);

  const auto steady = read_site_file("energy: {pue: 1.1, carbon: [540]}\n", "site.yaml");
  ASSERT_TRUE(steady);
  Site plain;
  set_energy(*steady, plain);
  EXPECT_EQ(plain.carbon_g_per_kwh, 540U);
  EXPECT_FALSE(plain.carbon_hours.is_given());
}

TEST(SiteFile, refuses_hours_that_are_no_day) {
  EXPECT_NE(refused("prices: {rates: [100, 50]}\n").find("expected 24 numbers"), std::string::npos);
  EXPECT_NE(refused("prices: {rates: [100]}\n").find("change the prices"), std::string::npos);
  EXPECT_NE(refused("energy: {pue: 1.2, carbon: [-3]}\n").find("expected 0 to 3000"),
            std::string::npos);
  EXPECT_NE(refused("energy: {pue: 0.9}\n").find("expected 1 to 5"), std::string::npos);
  EXPECT_NE(refused("energy: {carbon: [500]}\n").find("needs pue"), std::string::npos);
  for (const char* offset : {"+8", "08:00", "+08:30", "+15:00"})
    EXPECT_NE(refused("site: {utc_offset: \"" + std::string(offset) + "\"}\n").find("whole hours"),
              std::string::npos)
        << offset;
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
