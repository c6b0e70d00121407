#include "journal/scratch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "base/ensure.h"

namespace suan::journal {

namespace {

// In memory where there is such a place: the tests sync thousands of times, and what a power cut
// leaves is decided by FaultVfs, not by the disk.
std::filesystem::path place() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code ignored;
  const bool is_there = ::access(memory.c_str(), W_OK) == 0;
  return is_there ? memory : std::filesystem::temp_directory_path(ignored);
}

}  // namespace

Scratch::Scratch() : path_((place() / "journal-").string() + std::string(6, 'X')) {
  ensure(::mkdtemp(path_.data()) != nullptr);
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_whole(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace suan::journal
