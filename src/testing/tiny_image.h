#pragma once

#include <cstdlib>
#include <string>

#include "testing/temporary_directory.h"

namespace suan::engine {

/// A directory of images with one in it, `tiny`: bash and a few programs of this machine with the
/// libraries they need, and an /etc that says whose it is. Beside it the same packed, `tiny.tar`
/// and `tiny.tar.gz`, and `bare`, which has no bash. Made once a program. Test code only.
class TinyImages {
 public:
  static const std::string& directory() {
    static const TinyImages images;
    return images.path_;
  }

  /// Runs a line of bash in the directory of images; true if it succeeds.
  static bool change(const std::string& line) {
    return ::system(("cd '" + directory() + "' && " + line).c_str()) == 0;
  }

 private:
  TinyImages() : path_(top_.path() + "/images") {
    const std::string script =
        "set -e; mkdir -p " + path_ + "/tiny; cd " + path_ +
        "/tiny; mkdir -p bin etc tmp proc dev sys root\n"
        "for name in bash cat chmod env grep head id ls mkdir mount rm sleep stat touch tr; do\n"
        "  program=$(realpath $(type -P $name)); cp $program bin/$name\n"
        "  for library in $(ldd $program | grep -o '/[^ ]*'); do\n"
        "    mkdir -p .${library%/*}; [[ -e .$library ]] || cp -L $library .$library\n"
        "  done\n"
        "done\n"
        "echo 'NAME=tiny' > etc/os-release\n"
        "printf 'root:x:0:0::/root:\\napp:x:1234:1235::/home/app:\\n' > etc/passwd\n"
        "printf 'root:x:0:\\napp:x:1235:\\n' > etc/group\n"
        "chmod 1777 tmp; cd ..; tar -cf tiny.tar -C tiny .; gzip -k -1 tiny.tar\n"
        "mkdir -p bare/bin; cp tiny/bin/cat bare/bin/";
    if (::system(("bash -c \"" + escape(script) + "\"").c_str()) != 0) path_.clear();
  }

  static std::string escape(const std::string& text) {
    std::string out;
    for (const char each : text) {
      if (each == '"' || each == '\\' || each == '$' || each == '`') out.push_back('\\');
      out.push_back(each);
    }
    return out;
  }

  TemporaryDirectory top_;
  std::string path_;
};

}  // namespace suan::engine
