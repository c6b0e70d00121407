#include "engine/discovery.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

namespace suan::engine {
namespace {

TEST(Discovery, offers_no_more_than_the_machine_has) {
  const Discovery found = discover({});
  EXPECT_EQ(found.pool.name, "local");
  EXPECT_EQ(found.pool.nodes, 1U);
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  EXPECT_GT(found.pool.cpu_milli_per_node, 0);
  EXPECT_LE(found.pool.cpu_milli_per_node, CPU_COUNT(&allowed) * 1000);
  EXPECT_GT(found.pool.memory_bytes_per_node, 0);
  EXPECT_LE(found.pool.memory_bytes_per_node,
            std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE));
  EXPECT_NE(found.pool.topology.find("core"), std::string::npos);
}

TEST(Discovery, respects_the_affinity_of_the_process) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_LE(discover({}).pool.cpu_milli_per_node, 1000);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Discovery, leaves_the_reserve_to_the_system) {
  const Discovery all = discover({});
  const Discovery less = discover({.cpu_milli = 500, .memory_bytes = 1 << 20U});
  EXPECT_EQ(less.pool.cpu_milli_per_node, all.pool.cpu_milli_per_node - 500);
  EXPECT_EQ(less.pool.memory_bytes_per_node, all.pool.memory_bytes_per_node - (1 << 20U));
  EXPECT_EQ(discover({.cpu_milli = INT64_MAX, .memory_bytes = INT64_MAX}).pool.cpu_milli_per_node,
            0);
}

TEST(Discovery, has_no_cards_without_the_drivers_library) {
  EXPECT_TRUE(find_nvidia_cards("no-such-library.so").empty());
  EXPECT_TRUE(find_nvidia_cards("libc.so.6").empty());  // A library, but another one.
}

TEST(Discovery, knows_products_by_their_exact_names) {
  EXPECT_EQ(chip_of("NVIDIA H800"), "H800-SXM");
  EXPECT_EQ(chip_of("NVIDIA H100 80GB HBM3"), "H100-SXM");
  EXPECT_EQ(chip_of("NVIDIA A100-SXM4-80GB"), "A100-80G-SXM");
  EXPECT_EQ(chip_of("NVIDIA GeForce RTX 4090"), "RTX4090");
  EXPECT_EQ(chip_of("NVIDIA GeForce RTX 4090 D"), "NVIDIA GeForce RTX 4090 D");
  EXPECT_EQ(chip_of("NVIDIA H100 PCIe"), "NVIDIA H100 PCIe");
}

TEST(Discovery, offers_the_most_numerous_model_by_the_drivers_numbers) {
  Discovery found;
  offer_cards({{"NVIDIA T400", 1}, {"NVIDIA L40S", 2}, {"", 0}, {"NVIDIA L40S", 2}}, found);
  EXPECT_EQ(found.pool.chip, "L40S");
  EXPECT_EQ(found.pool.cards_per_node, 2U);
  EXPECT_EQ(found.devices, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(found.notes.size(), 2U);
  Discovery none;
  offer_cards({}, none);
  EXPECT_EQ(none.pool.chip, "");
  EXPECT_EQ(none.pool.cards_per_node, 0U);
}

TEST(Discovery, reads_the_kernels_texts) {
  EXPECT_EQ(parse_memory_total("MemTotal:       24592632 kB\nMemFree: 1 kB\n"), 24592632LL * 1024);
  EXPECT_FALSE(parse_memory_total("MemFree: 1 kB\n"));
  EXPECT_FALSE(parse_memory_total("MemTotal: x kB\n"));
  EXPECT_EQ(parse_cpu_max("150000 100000"), 1500);
  EXPECT_FALSE(parse_cpu_max("max 100000"));
  EXPECT_FALSE(parse_cpu_max(""));
  EXPECT_EQ(parse_cpu_quota("50000", "100000"), 500);
  EXPECT_FALSE(parse_cpu_quota("-1", "100000"));
  EXPECT_FALSE(parse_cpu_quota("50000", "0"));
}

}  // namespace
}  // namespace suan::engine
