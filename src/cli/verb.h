#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// The verbs of `suan` and their flags as one table: it drives the parser, the help texts and the
/// completion, so that the three cannot differ.
namespace suan::cli {

/// What completion offers for a value, besides fixed choices.
enum class Completes : std::uint8_t {
  nothing,
  file,
  job,
  project,
  chip,
  site,
  region,
  key,
  joiner
};

struct Flag {
  std::string_view name;          // Without dashes: "max-duration".
  char letter = 0;                // 't' for -t; 0 = none.
  std::string_view value = {};    // What stands for its value in help: "SPAN"; "" = a switch.
  std::string_view text = {};     // One line.
  std::string_view alias = {};    // Another name; "" = none.
  std::string_view choices = {};  // The allowed values, space-separated; "" = any.
  bool repeats = false;
  Completes completes = Completes::nothing;
};

struct Example {
  std::string_view line;
  std::string_view text;
};

/// `words_max` counts words that are not flags; a `takes_command` verb ends its flags at the first
/// word or at `--`, and what follows is the command.
struct Verb {
  std::string_view name;
  std::string_view group;    // The heading in the overview; "" = not listed.
  std::string_view usage;    // Behind "suan ".
  std::string_view summary;  // One line without a full stop.
  std::string_view details;  // Paragraphs of at most 88 columns; may be "".
  std::span<const Flag> flags = {};
  bool takes_spec = false;  // Also spec_flags().
  bool talks = true;        // Also server_flags().
  bool takes_command = false;
  std::size_t words_min = 0;
  std::size_t words_max = 0;
  std::string_view first_words = {};         // Sub-verbs, space-separated.
  Completes completes = Completes::nothing;  // Its words, after a sub-verb.
  std::span<const Example> examples = {};
};

/// In the order of the overview. `serve` and `simulate` read their own flags.
std::span<const Verb> verbs();

/// The flags that describe a job, as in run.yaml.
std::span<const Flag> spec_flags();

/// The flags of every verb that talks to a server.
std::span<const Flag> server_flags();

/// Null if there is no such verb.
const Verb* find_verb(std::string_view name);

/// Calls `visit(flag)` for every flag a verb takes, its own first.
template <class Visit>
void for_each_flag(const Verb& verb, Visit visit) {
  for (const Flag& flag : verb.flags) visit(flag);
  if (verb.takes_spec) {
    for (const Flag& flag : spec_flags()) visit(flag);
  }
  if (verb.talks) {
    for (const Flag& flag : server_flags()) visit(flag);
  }
}

/// Calls `visit(word)` for each word of a space-separated list.
template <class Visit>
void for_each_word(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t end = list.find(' ') == list.npos ? list.size() : list.find(' ');
    if (end > 0) visit(list.substr(0, end));
    list.remove_prefix(end == list.size() ? end : end + 1);
  }
}

}  // namespace suan::cli
