#pragma once

#include <string>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

namespace suan {

/// A new directory below $TMPDIR or /tmp, gone with all it holds at the end. Test code only.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* parent = ::getenv("TMPDIR");
    std::string pattern = std::string(parent != nullptr ? parent : "/tmp") + "/suan-";
    pattern.append(6, 'X');  // For mkdtemp(3) to fill in.
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    const auto remove = [](const char* path, const struct stat*, int, FTW*) {
      return ::remove(path);
    };
    if (!path_.empty()) ::nftw(path_.c_str(), remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace suan
