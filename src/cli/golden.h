#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <source_location>
#include <string>

#include <gtest/gtest.h>

namespace suan::cli {

/// Compares with tests/golden/cli/<name>.txt; SUAN_REWRITE=1 writes it instead. Test code only.
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string here = std::source_location::current().file_name();
  const std::string path =
      here.substr(0, here.rfind("src/cli/")) + "tests/golden/cli/" + name + ".txt";
  if (std::getenv("SUAN_REWRITE")) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is not there: SUAN_REWRITE=1 writes it";
  const std::string expected((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(text, expected) << path;
}

}  // namespace suan::cli
