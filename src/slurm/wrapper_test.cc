#include "slurm/wrapper.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "slurm/program.h"
#include "testing/temporary_directory.h"

namespace suan::slurm {
namespace {

void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path) << text;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A wrapper that measures processes in the moment in which they die still holds them to their time.
TEST(Wrapper, EndsWorkWhoseProcessesComeAndGo) {
  constexpr int wrappers = 6;
  const TemporaryDirectory place;
  const std::filesystem::path root = place.path();
  std::filesystem::create_directories(root / "news");
  write(root / "wrapper.sh", wrapper_script());
  Launch launch;
  launch.max_duration = milliseconds(2'000);
  launch.grace = seconds(2);
  const auto run = [&](int number) {
    const auto directory = root / "attempts" / ("j" + std::to_string(number));
    std::filesystem::create_directories(directory);
    write(directory / "limits", print_limits(launch));
    write(directory / "control", print_control({}));
    write(directory / "env", "");
    write(directory / "run",
          "while :; do for k in {1..40}; do sleep 0.0$((RANDOM % 60 + 10)) & done; wait; done\n");
    const auto end = run_program({"bash", (root / "wrapper.sh").string(), directory.string()}, "",
                                 {"SLURM_JOB_ID=1"}, seconds(60), 1U << 20U);
    ASSERT_TRUE(end) << end.error().text;
    EXPECT_EQ(end->exit_code, 0);
    EXPECT_EQ(end->error, "");
    const auto exit = parse_exit(read(directory / "exit"));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->stop, AttemptEnd::timed_out);
    EXPECT_LT(exit->usage.wall, seconds(30));
    EXPECT_TRUE(std::filesystem::exists(root / "news" / ("j" + std::to_string(number) + ".ended")));
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < wrappers; ++i) threads.emplace_back(run, i);
}

}  // namespace
}  // namespace suan::slurm
