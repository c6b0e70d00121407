#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// The descriptions in archives of images: of `docker save` and `podman save` (manifest.json), and
/// of the OCI image layout (OCI image specification 1.0: index, manifest, configuration). All texts
/// come from outside and are at most description_bytes_max long.
namespace suan::engine {

inline constexpr std::size_t description_bytes_max = 4 << 20U;
inline constexpr std::size_t image_layers_max = 512;

/// What an image says about how its programs want to be run.
struct ImageConfig {
  std::vector<std::string> variables;  // "NAME=value", in the order of the image.
  std::string user;                    // "name", "1000", "name:group" or "1000:1000"; "" = root.
  std::string working_directory;       // "" = none.

  static void fields(auto&& visit, auto& self) {
    visit(1, "variables", self.variables);
    visit(2, "user", self.user);
    visit(3, "working_directory", self.working_directory);
  }
};

/// Where in an archive the parts of one image lie.
struct ImageParts {
  std::string config;               // A path; "" = none.
  std::vector<std::string> layers;  // Paths, the lowest first.
};

/// One reference to a blob.
struct Descriptor {
  std::string media_type;
  std::string sha256;   // 64 hexadecimal digits.
  std::string system;   // Of its platform: "linux"; "" = any.
  std::string machine;  // "amd64"; "" = any.
};

/// manifest.json of `docker save`. `invalid` unless it describes exactly one image.
Result<ImageParts> parse_saved_manifest(std::string_view text);

/// index.json, or an index that another points to.
Result<std::vector<Descriptor>> parse_index(std::string_view text);

/// The manifest of one image; paths are those of its blobs in a layout.
Result<ImageParts> parse_manifest(std::string_view text);

/// The configuration of one image.
Result<ImageConfig> parse_image_config(std::string_view text);

/// The one to run on a machine with Linux and these processors ("amd64"). `invalid` if there is
/// none, or more than one image.
Result<Descriptor> choose_image(const std::vector<Descriptor>&, std::string_view machine);

/// True for the descriptor of an index.
bool is_index(const Descriptor&);

/// "blobs/sha256/<digits>".
std::string blob_path(std::string_view sha256);

/// The name that images use for the processors of this machine: "amd64", "arm64", or as the kernel
/// says.
std::string machine_name();

/// Numbers of a user.
struct ImageUser {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::string home = "/root";
};

/// Looks up what ImageConfig::user says in the texts of the image's /etc/passwd and /etc/group.
/// `not_found` for a name that is not there, `invalid` for no such form.
Result<ImageUser> find_image_user(std::string_view user, std::string_view passwd,
                                  std::string_view group);

}  // namespace suan::engine
