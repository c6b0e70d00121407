// The compiled-in catalogues: every row is read, and figures keep their decimals.
#include "catalogue/chips.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace suan::catalogue {
namespace {

TEST(Chips, AreReadFromTheFileWithTheirFigures) {
  const ChipModel* chip = find_chip("Ascend910B3");
  ASSERT_NE(chip, nullptr);
  EXPECT_EQ(chip->vendor, "Huawei");
  EXPECT_EQ(chip->fp16_gflops_dense, 313'000);
  EXPECT_EQ(chip->fp32_gflops, 0);  // Unknown.
  EXPECT_EQ(chip->stack, "CANN");
  EXPECT_EQ(find_chip("A100-80G-SXM")->fp32_gflops, 19'500);
  EXPECT_EQ(find_chip("A100-80G-SXM")->fp64_gflops, 9'700);
  EXPECT_EQ(find_chip("nothing"), nullptr);
}

TEST(Chips, HaveUniqueNames) {
  std::set<std::string> ids;
  for (const ChipModel& chip : chips())
    EXPECT_TRUE(ids.insert(std::string(chip.id)).second) << chip.id;
  EXPECT_GE(ids.size(), 30U);
}

TEST(Hubs, KnowWhereTheirCitiesAre) {
  EXPECT_EQ(hubs().size(), 10U);
  const Hub* hub = find_hub("庆阳");
  ASSERT_NE(hub, nullptr);
  EXPECT_EQ(hub->longitude_micro, 107'644'200);
  EXPECT_EQ(hub->latitude_micro, 35'726'800);
}

}  // namespace
}  // namespace suan::catalogue
