#include "cli/help.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "cli/width.h"

namespace suan::cli {

namespace {

constexpr std::size_t flag_columns_max = 28;

std::string flag_form(const Flag& flag) {
  std::string form = flag.letter != 0 ? std::string("-") + flag.letter + ", " : "    ";
  form.append("--").append(flag.name);
  if (!flag.value.empty()) form.append(" ").append(flag.value);
  return form;
}

void append_flags(std::string& out, std::string_view title, std::span<const Flag> flags) {
  if (flags.empty()) return;
  std::size_t columns = 0;
  for (const Flag& flag : flags) {
    const std::size_t width = display_width(flag_form(flag));
    if (width <= flag_columns_max) columns = std::max(columns, width);
  }
  out.append("\n").append(title).append(":\n");
  for (const Flag& flag : flags) {
    const std::string form = flag_form(flag);
    const std::size_t width = display_width(form);
    out.append("  ").append(form);
    out.append(width < columns ? columns - width + 2 : 2, ' ');
    out.append(flag.text);
    if (!flag.alias.empty()) out.append(" (also --").append(flag.alias).append(")");
    out.push_back('\n');
  }
}

void append_paragraphs(std::string& out, std::string_view text) {
  if (!text.empty()) out.append("\n").append(text).append("\n");
}

}  // namespace

std::string print_overview() {
  std::string out =
      "suan: one access point to all compute (算力网). Find it, run on it, know why, pay for it.\n"
      "\nUsage: suan VERB [flags]\n";
  std::string_view group;
  for (const Verb& verb : verbs()) {
    if (verb.group != group) out.append("\n").append(verb.group).append(":\n");
    group = verb.group;
    out.append("  ").append(verb.name).append(11 - verb.name.size(), ' ');
    out.append(verb.summary).append("\n");
  }
  append_flags(out, "Flags of every verb that asks a server", server_flags());
  append_paragraphs(
      out,
      "Environment: SUAN_URL, SUAN_KEY, NO_COLOR, XDG_CONFIG_HOME, XDG_STATE_HOME.\n"
      "Exit codes: 0 done, 1 failed, 2 mistyped, 3 refused by the server, 4 no server\n"
      "answered; `suan run` ends as its job did.");
  append_paragraphs(out, "Try: suan run -- hostname        More: suan help VERB");
  return out;
}

std::string print_help(const Verb& verb) {
  std::string out(verb.summary);
  out.append(".\n\nUsage: suan ").append(verb.usage).append("\n");
  append_paragraphs(out, verb.details);
  append_flags(out, "Flags", verb.flags);
  if (verb.takes_spec) append_flags(out, "The job, as in run.yaml", spec_flags());
  if (verb.talks) append_flags(out, "Server and output", server_flags());
  if (verb.examples.empty()) return out;
  out.append(verb.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n");
  for (const Example& example : verb.examples) {
    if (!example.text.empty()) out.append("  # ").append(example.text).append("\n");
    out.append("  ").append(example.line).append("\n");
  }
  return out;
}

}  // namespace suan::cli
