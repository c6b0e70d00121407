#include "site/site_check.h"

#include <gtest/gtest.h>

#include "engine/file.h"
#include "site/site_init.h"
#include "testing/slurm_centre.h"

namespace suan::site {
namespace {

class SiteCheck : public testing::Test {
 protected:
  std::string site_file(const std::string& more = {}) const {
    const slurm::CentrePlaces& places = centre_.places();
    return "engine: slurm\nslurm:\n  rest: " + places.rest + "\n  user: " + places.user +
           "\n  jwt_key_file: " + places.jwt_key + "\n  shared_directory: " + directory_.path() +
           "\n" + more;
  }
  std::string check(const std::string& yaml, bool& holds) const {
    const auto file = read_site_file(yaml, "site.yaml");
    EXPECT_TRUE(file) << file.error().text;
    std::string said;
    holds = check_site(*file, [&](const Check& each) { said += print_check(each); }, seconds(20));
    return said;
  }

  slurm::SlurmCentre& centre_ = slurm::SlurmCentre::get();
  TemporaryDirectory directory_;
};

TEST_F(SiteCheck, says_ok_of_everything_that_holds) {
  bool holds = false;
  const std::string said = check(site_file("  partitions: [{name: main}, {name: extra}]\n"), holds);
  EXPECT_TRUE(holds) << said;
  for (const char* part :
       {"ok    slurm: Slurm 2", "2 × gpu:fake910b:8 16c 7g in main", "ok    shared directory",
        "its word is seen here", "ok    user", "ok    clock of n"})
    EXPECT_NE(said.find(part), std::string::npos) << part << " in\n" << said;
  EXPECT_EQ(said.find("FAIL"), std::string::npos) << said;
  EXPECT_TRUE(engine::names_in(AT_FDCWD, directory_.path()).empty()) << "it leaves nothing";
}

TEST_F(SiteCheck, says_what_does_not_hold_and_what_to_do) {
  bool holds = true;
  std::string said = check(site_file("  partitions: [{name: mian}]\n"), holds);
  EXPECT_FALSE(holds);
  EXPECT_NE(said.find("FAIL  partitions: Slurm has no partition mian; it has main, extra"),
            std::string::npos)
      << said;
  said = check(site_file("  gres: {\"gpu:a100\": A100}\n"), holds);
  EXPECT_FALSE(holds);
  EXPECT_NE(said.find("FAIL  gres gpu:a100: no node has it"), std::string::npos) << said;
  said = check("engine: slurm\nslurm: {shared_directory: /nowhere, configuration: " +
                   centre_.places().configuration + "}\n",
               holds);
  EXPECT_FALSE(holds);
  EXPECT_NE(said.find("FAIL  shared directory: there is no directory /nowhere"), std::string::npos)
      << said;
  said =
      check("engine: slurm\nslurm: {shared_directory: /tmp, rest: 'http://127.0.0.1:1'}\n", holds);
  EXPECT_FALSE(holds);
  EXPECT_NE(said.find("FAIL  slurm: "), std::string::npos) << said;
  EXPECT_NE(said.find("try: see that slurmrestd runs at http://127.0.0.1:1"), std::string::npos);
}

TEST_F(SiteCheck, a_cluster_that_takes_no_work_is_told) {
  bool holds = true;
  centre_.ask({"scontrol", "update", "nodename=n[1-3]", "state=drain", "reason=a test"});
  const std::string said = check(site_file(), holds);
  centre_.ask({"scontrol", "update", "nodename=n[1-3]", "state=resume"});
  EXPECT_FALSE(holds);
  EXPECT_NE(said.find("FAIL  a job: every node is down or drained"), std::string::npos) << said;
}

TEST_F(SiteCheck, the_first_file_of_a_machine_with_slurm_can_be_read) {
  ::setenv("SLURM_CONF", centre_.places().configuration.c_str(), 1);
  const Surroundings found = look_around(centre_.places().rest);
  ::unsetenv("SLURM_CONF");
  EXPECT_EQ(found.slurm.partitions, (std::vector<std::string>{"main", "extra"}));
  EXPECT_EQ(found.slurm.rest, centre_.places().rest);
  const std::string text = print_first_site_file(found);
  const auto file = read_site_file(text, "site.yaml");
  ASSERT_TRUE(file) << file.error().place << ": " << file.error().text << "\n" << text;
  EXPECT_EQ(file->engine(), EngineKind::slurm);
  EXPECT_EQ(file->document.slurm->partitions.size(), 2U);
  EXPECT_EQ(file->document.slurm->gres.at("dcu:k100"), "k100");
}

TEST(SiteInit, the_first_file_of_any_machine_can_be_read) {
  Surroundings found;
  found.cores = 2;
  auto file = read_site_file(print_first_site_file(found), "site.yaml");
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_EQ(file->engine(), EngineKind::local);
  found.slurm_trouble = "Unable to contact slurm controller";
  EXPECT_NE(print_first_site_file(found).find("does not answer: Unable"), std::string::npos);
  found.slurm = {.version = "22.05.8", .partitions = {}, .gres = {}, .rest = {}};
  file = read_site_file(print_first_site_file(found), "site.yaml");
  ASSERT_TRUE(file) << file.error().text;
}

}  // namespace
}  // namespace suan::site
