#include "engine/image_layout.h"

#include <algorithm>
#include <array>
#include <limits>

#include <sys/utsname.h>

#include "base/text.h"
#include "wire/json_tree.h"

namespace suan::engine {
namespace {

using wire::JsonKind;
using wire::JsonTree;
using wire::JsonValue;

constexpr std::size_t descriptors_max = 1024;
constexpr std::size_t variables_max = 4096;
constexpr std::string_view sha256_prefix = "sha256:";
constexpr std::size_t sha256_digits = 64;

std::unexpected<Failure> refuse(std::string text, std::string place) {
  return failure(Failure::Kind::invalid, std::move(text), std::move(place));
}

Result<JsonTree> parse(std::string_view text, const char* what) {
  auto tree = wire::parse_json(
      text, {.bytes_max = description_bytes_max, .depth_max = 32, .values_max = 200'000});
  if (!tree)
    return refuse(std::string(what) + " is not JSON: " + tree.error().text, tree.error().place);
  return tree;
}

std::optional<JsonValue> member(JsonValue object, std::string_view name, JsonKind kind) {
  if (!object.is(JsonKind::object)) return std::nullopt;
  auto from = object.begin();
  const auto found = object.find(name, from);
  return found && found->is(kind) ? found : std::nullopt;
}

std::string text_member(JsonValue object, std::string_view name) {
  const auto found = member(object, name, JsonKind::string);
  return found ? std::string(found->text()) : "";
}

// Texts that reach the kernel end at a zero byte, and nowhere before.
bool is_whole(std::string_view text) {
  return text.find('\0') == std::string_view::npos;
}

Result<std::string> parse_sha256(std::string_view digest) {
  const std::string_view digits = digest.substr(std::min(digest.size(), sha256_prefix.size()));
  const bool is_hex = std::ranges::all_of(digits, [](char each) {
    return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'f');
  });
  if (!digest.starts_with(sha256_prefix) || digits.size() != sha256_digits || !is_hex)
    return refuse("a digest is not `sha256:` and 64 digits", wire::quote(digest));
  return std::string(digits);
}

Result<Descriptor> parse_descriptor(JsonValue value) {
  Descriptor descriptor;
  descriptor.media_type = text_member(value, "mediaType");
  SUAN_TRY(descriptor.sha256, parse_sha256(text_member(value, "digest")));
  if (const auto platform = member(value, "platform", JsonKind::object)) {
    descriptor.system = text_member(*platform, "os");
    descriptor.machine = text_member(*platform, "architecture");
  }
  return descriptor;
}

// The fields of the line of a colon-separated file whose field `key` is `value`.
std::optional<std::vector<std::string_view>> find_line(std::string_view file, std::size_t key,
                                                       std::string_view value) {
  while (!file.empty()) {
    std::string_view line = file.substr(0, file.find('\n'));
    file.remove_prefix(std::min(file.size(), line.size() + 1));
    std::vector<std::string_view> fields;
    while (true) {
      const std::size_t end = std::min(line.find(':'), line.size());
      fields.push_back(line.substr(0, end));
      if (end == line.size()) break;
      line.remove_prefix(end + 1);
    }
    if (fields.size() > key && fields[key] == value) return fields;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  const auto number = parse_integer(text);
  // The last number means "no change" to the kernel.
  if (!number || *number < 0 || *number >= std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// The number in field `field` of the line of this name, or the name itself if it is a number.
Result<std::uint32_t> find_number(std::string_view name, std::string_view file, std::size_t field,
                                  const char* what) {
  if (const auto number = parse_number(name)) return *number;
  const auto line = find_line(file, 0, name);
  if (!line)
    return failure(Failure::Kind::not_found, std::string("the image wants the ") + what + " " +
                                                 wire::quote(name) + " and does not have it");
  const auto number = line->size() > field ? parse_number((*line)[field]) : std::nullopt;
  if (!number)
    return refuse(std::string("the image has no number for its ") + what, wire::quote(name));
  return *number;
}

}  // namespace

Result<ImageParts> parse_saved_manifest(std::string_view text) {
  SUAN_TRY(const JsonTree tree, parse(text, "manifest.json"));
  const JsonValue images = tree.root();
  if (!images.is(JsonKind::array) || images.size() == 0)
    return refuse("manifest.json lists no image", "manifest.json");
  if (images.size() > 1)
    return refuse("the archive has " + std::to_string(images.size()) + " images; save one",
                  "manifest.json");
  ImageParts parts;
  const JsonValue image = *images.begin();
  parts.config = text_member(image, "Config");
  const auto layers = member(image, "Layers", JsonKind::array);
  if (!layers || layers->size() > image_layers_max)
    return refuse("an image has a list `Layers` of at most 512 paths", "manifest.json");
  for (const JsonValue each : *layers) {
    if (!each.is(JsonKind::string))
      return refuse("a layer is not named by a path", "manifest.json");
    parts.layers.emplace_back(each.text());
  }
  return parts;
}

Result<std::vector<Descriptor>> parse_index(std::string_view text) {
  SUAN_TRY(const JsonTree tree, parse(text, "the index"));
  const auto manifests = member(tree.root(), "manifests", JsonKind::array);
  if (!manifests || manifests->size() > descriptors_max)
    return refuse("an index has a list `manifests` of at most 1024 entries", "index.json");
  std::vector<Descriptor> descriptors;
  for (const JsonValue each : *manifests) {
    SUAN_TRY(Descriptor descriptor, parse_descriptor(each));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

Result<ImageParts> parse_manifest(std::string_view text) {
  SUAN_TRY(const JsonTree tree, parse(text, "the manifest"));
  ImageParts parts;
  if (const auto config = member(tree.root(), "config", JsonKind::object)) {
    SUAN_TRY(const Descriptor descriptor, parse_descriptor(*config));
    parts.config = blob_path(descriptor.sha256);
  }
  const auto layers = member(tree.root(), "layers", JsonKind::array);
  if (!layers || layers->size() > image_layers_max)
    return refuse("a manifest has a list `layers` of at most 512 entries", "manifest");
  for (const JsonValue each : *layers) {
    SUAN_TRY(const Descriptor descriptor, parse_descriptor(each));
    parts.layers.push_back(blob_path(descriptor.sha256));
  }
  return parts;
}

Result<ImageConfig> parse_image_config(std::string_view text) {
  SUAN_TRY(const JsonTree tree, parse(text, "the configuration of the image"));
  ImageConfig config;
  const auto about = member(tree.root(), "config", JsonKind::object);
  if (!about) return config;
  config.user = text_member(*about, "User");
  config.working_directory = text_member(*about, "WorkingDir");
  if (!is_whole(config.user) || !is_whole(config.working_directory))
    return refuse("a text in the image's configuration holds a zero byte", "/config");
  const auto variables = member(*about, "Env", JsonKind::array);
  if (!variables) return config;
  if (variables->size() > variables_max)
    return refuse("an image sets at most 4096 environment variables", "/config/Env");
  for (const JsonValue each : *variables) {
    const std::string_view variable = each.is(JsonKind::string) ? each.text() : "";
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos || equals == 0 || !is_whole(variable))
      return refuse("an environment variable of the image is not `NAME=value`", "/config/Env");
    config.variables.emplace_back(variable);
  }
  return config;
}

Result<Descriptor> choose_image(const std::vector<Descriptor>& all, std::string_view machine) {
  std::vector<const Descriptor*> fitting;
  for (const Descriptor& each : all)
    if ((each.system.empty() || each.system == "linux") &&
        (each.machine.empty() || each.machine == machine))
      fitting.push_back(&each);
  if (fitting.empty())
    return refuse("the archive has no image for linux/" + std::string(machine), "index.json");
  if (fitting.size() > 1)
    return refuse("the archive has " + std::to_string(fitting.size()) + " images; save one",
                  "index.json");
  return *fitting.front();
}

bool is_index(const Descriptor& descriptor) {
  return descriptor.media_type == "application/vnd.oci.image.index.v1+json" ||
         descriptor.media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

std::string blob_path(std::string_view sha256) {
  return "blobs/sha256/" + std::string(sha256);
}

std::string machine_name() {
  utsname name{};
  if (::uname(&name) != 0) return "";
  const std::string_view machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

Result<ImageUser> find_image_user(std::string_view user, std::string_view passwd,
                                  std::string_view group) {
  ImageUser found;
  const std::size_t colon = std::min(user.find(':'), user.size());
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name = user.substr(std::min(user.size(), colon + 1));
  SUAN_TRY(found.user, find_number(name.empty() ? "0" : name, passwd, 2, "user"));
  auto line = find_line(passwd, 0, name);
  if (!line) line = find_line(passwd, 2, std::to_string(found.user));
  if (found.user != 0) found.home = "/";
  if (line && line->size() > 5 && (*line)[5].starts_with('/')) found.home = (*line)[5];
  if (!group_name.empty()) {
    SUAN_TRY(found.group, find_number(group_name, group, 2, "group"));
  } else if (line && line->size() > 3) {
    found.group = parse_number((*line)[3]).value_or(0);
  }
  return found;
}

}  // namespace suan::engine
