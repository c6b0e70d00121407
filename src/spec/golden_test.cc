#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "spec/read.h"
#include "spec/yaml.h"

/// tests/golden/spec/*.yaml are wrong specifications; the .txt beside each holds what is said about
/// it: place, pointer, sentence and remedy. SUAN_REWRITE=1 writes them anew.
namespace suan::spec {
namespace {

namespace fs = std::filesystem;

const Known known{{"Ascend910B1", "Ascend910B2", "Ascend910B3", "Ascend910B4", "A100-80G-SXM",
                   "H100-SXM", "H20", "H200-SXM", "H800-SXM", "Hygon-K100-AI", "MXC500-OAM",
                   "MXC500-PCIe", "RTX4090"}};

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string say(std::string_view yaml) {
  const auto text = read_yaml(yaml);
  if (!text) return "run.yaml:" + text.error().place + "\n  " + text.error().text + "\n";
  const auto job = read_spec(text->json, known);
  if (job) return "accepted\n";
  std::string out;
  for (const auto& each : job.error()) {
    const Position at = text->find(each.pointer);
    out += "run.yaml:" + std::to_string(at.line) + ":" + std::to_string(at.column) + " " +
           each.pointer + "\n  " + each.text + "\n";
    if (!each.suggestion.empty()) out += "  try: " + each.suggestion + "\n";
  }
  return out;
}

TEST(Golden, WrongSpecificationsAreAnsweredWithPlaceAndRemedy) {
  const fs::path folder =
      fs::path(__FILE__).parent_path().parent_path().parent_path() / "tests/golden/spec";
  const bool is_rewriting = std::getenv("SUAN_REWRITE") != nullptr;
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    fs::path expected = entry.path();
    expected.replace_extension(".txt");
    const std::string said = say(slurp(entry.path()));
    EXPECT_NE(said, "accepted\n") << entry.path();
    if (is_rewriting)
      std::ofstream(expected, std::ios::binary) << said;
    else
      EXPECT_EQ(said, slurp(expected)) << entry.path();
  }
  EXPECT_GE(count, 30U);
}

}  // namespace
}  // namespace suan::spec
