#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/arguments.h"
#include "cli/fault.h"
#include "spec/yaml.h"

namespace suan::cli {

/// The document that describes a job, and where each part of it came from.
struct SpecText {
  std::string json = {};  // As the API takes it.
  bool has_run = false;
  std::string file = {};                                        // "" when there was none.
  spec::YamlText yaml = {};                                     // Where the file's values stand.
  std::vector<std::pair<std::string, std::string>> flags = {};  // JSON pointer to "--gpus".

  /// Where the value at a pointer stands, or the nearest thing around it: "run.yaml:12:3",
  /// "--gpus"; "" if it came from nowhere.
  std::string place_of(std::string_view pointer) const;
};

/// A value to be put into a document at a JSON pointer, as JSON; "" takes away what is there.
struct Setting {
  std::string pointer;
  std::string json;
};

/// The document with the settings in it: objects are entered, everything else is replaced. A
/// document of "" is an empty object. `invalid` if it is not a JSON object.
Result<std::string> apply_settings(std::string_view document, std::span<const Setting> settings);

/// What the flags and the command say, laid over a JSON document ("" = none). Values are only
/// checked as far as they would be misunderstood; the server checks the rest.
Outcome<SpecText> lay_flags_over(std::string_view document, const Arguments&);

/// The same over the YAML or JSON file of -f, if one is given; "-" is the open file `in`.
Outcome<SpecText> make_spec(const Arguments&, int in = 0);

/// The bash script that does what was typed: one word is a script, several are quoted each.
std::string command_script(std::span<const std::string> command);

}  // namespace suan::cli
