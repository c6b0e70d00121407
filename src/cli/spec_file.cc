#include "cli/settings.h"
#include "cli/spec_text.h"
#include "spec/yaml.h"

namespace suan::cli {

namespace {

constexpr std::size_t spec_bytes_max = std::size_t{1} << 20U;

}  // namespace

Outcome<SpecText> make_spec(const Arguments& arguments, int in) {
  if (!arguments.has("file")) return lay_flags_over("", arguments);
  const std::string path(arguments.value("file"));
  const std::string file = path == "-" ? "stdin" : path;
  SUAN_TRY(const std::string text, read_file(path, spec_bytes_max, in));
  auto yaml = spec::read_yaml(text);
  if (!yaml) {
    Fault wrong = to_fault(std::move(yaml).error(), Exit::usage);
    wrong.pointer = wrong.pointer.empty() ? file : file + ":" + wrong.pointer;
    return std::unexpected(std::move(wrong));
  }
  auto spec = lay_flags_over(yaml->json, arguments);
  if (!spec) {
    if (spec.error().pointer.empty()) spec.error().pointer = file;
    return spec;
  }
  spec->has_run = spec->has_run || yaml->positions.contains("/run");
  spec->file = file;
  spec->yaml = *std::move(yaml);
  return spec;
}

}  // namespace suan::cli
