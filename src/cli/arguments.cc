#include "cli/arguments.h"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace suan::cli {

namespace {

constexpr std::size_t words_limit = 100'000;

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

Fault usage_fault(const Verb& verb, std::string text, std::string remedy = {}) {
  if (remedy.empty()) remedy = "suan help " + std::string(verb.name);
  return {.exit = Exit::usage, .text = std::move(text), .remedy = std::move(remedy)};
}

std::string option_names(const Flag& flag) {
  std::string names = "--" + std::string(flag.name);
  if (!flag.alias.empty()) names.append(",--").append(flag.alias);
  if (flag.letter != 0) names.append(",-").push_back(flag.letter);
  return names;
}

Fault unknown_flag(const Verb& verb, std::string_view typed) {
  std::vector<std::string_view> known;
  for_each_flag(verb, [&](const Flag& flag) {
    known.push_back(flag.name);
    if (!flag.alias.empty()) known.push_back(flag.alias);
  });
  known.emplace_back("help");
  const std::string_view name = typed.substr(0, typed.find('='));
  const std::size_t dashes = std::min(name.find_first_not_of('-'), name.size());
  const std::string_view near =
      dashes == 2 ? nearest(name.substr(dashes), known) : std::string_view{};
  const std::string text = "suan " + std::string(verb.name) + " has no flag " + std::string(name);
  return usage_fault(verb, text, near.empty() ? "" : "--" + std::string(near));
}

Fault unknown_word(std::string_view kind, std::string_view typed, std::string_view choices) {
  std::vector<std::string_view> known;
  std::string all;
  for_each_word(choices, [&](std::string_view word) {
    known.push_back(word);
    all.append(all.empty() ? "" : ", ").append(word);
  });
  const std::string_view near = nearest(typed, known);
  return {.exit = Exit::usage,
          .text = std::string(kind) + " " + in_quotes(typed) + " is not one of " + all,
          .remedy = std::string(near)};
}

bool is_in(std::string_view list, std::string_view word) {
  bool found = false;
  for_each_word(list, [&](std::string_view each) { found = found || each == word; });
  return found;
}

std::optional<Fault> check_choices(const Verb& verb, const Arguments& arguments) {
  std::optional<Fault> wrong;
  for_each_flag(verb, [&](const Flag& flag) {
    if (wrong || flag.choices.empty()) return;
    for (const std::string_view value : arguments.values(flag.name)) {
      if (!is_in(flag.choices, value)) {
        wrong = unknown_word("--" + std::string(flag.name), value, flag.choices);
      }
    }
  });
  return wrong;
}

std::optional<Fault> check_words(const Verb& verb, const Arguments& arguments) {
  const auto& words = arguments.words;
  if (!verb.first_words.empty() && !words.empty() && !is_in(verb.first_words, words.front())) {
    return unknown_word("suan " + std::string(verb.name) + ":", words.front(), verb.first_words);
  }
  const std::string usage = "suan " + std::string(verb.usage);
  if (words.size() < verb.words_min) return usage_fault(verb, "something is missing", usage);
  if (words.size() > verb.words_max) {
    return usage_fault(verb, in_quotes(words[verb.words_max]) + " is one word too many", usage);
  }
  return std::nullopt;
}

// The words that the flags left over: up to a command's first word when the verb takes one.
std::optional<Fault> take_leftovers(const Verb& verb, const std::vector<std::string>& rest,
                                    Arguments& arguments) {
  if (!verb.takes_command) {
    for (const std::string& word : rest) {
      if (word.size() > 1 && word.front() == '-') return unknown_flag(verb, word);
    }
    arguments.words = rest;
    return std::nullopt;
  }
  if (rest.empty()) return std::nullopt;
  const std::string& first = rest.front();
  if (first.size() > 1 && first.front() == '-') return unknown_flag(verb, first);
  if (rest.size() == 1 && (first.ends_with(".yaml") || first.ends_with(".yml"))) {
    return usage_fault(verb, in_quotes(first) + " is not a command", "-f " + first);
  }
  if (!arguments.command.empty()) {
    return usage_fault(verb, in_quotes(first) + " stands before the --", "put it behind the --");
  }
  arguments.command = rest;
  return std::nullopt;
}

void declare_flags(const Verb& verb, CLI::App& app) {
  app.set_help_flag("");
  app.allow_extras();
  app.prefix_command(verb.takes_command);
  app.add_flag("-h,--help");
  for_each_flag(verb, [&](const Flag& flag) {
    if (flag.value.empty()) {
      app.add_flag(option_names(flag))->disable_flag_override();
      return;
    }
    CLI::Option* option = app.add_option(option_names(flag));
    option->type_size(1)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    option->allow_extra_args(false);
  });
}

void take_flags(const Verb& verb, const CLI::App& app, Arguments& arguments) {
  arguments.wants_help = app.count("--help") > 0;
  for_each_flag(verb, [&](const Flag& flag) {
    const CLI::Option* option = app.get_option("--" + std::string(flag.name));
    if (option->count() > 0 && flag.value.empty()) arguments.flags.emplace_back(flag.name, "");
    if (option->count() == 0 || flag.value.empty()) return;
    for (const std::string& value : option->results()) {
      arguments.flags.emplace_back(flag.name, value);
    }
  });
}

std::string explain(const CLI::ParseError& error) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

bool Arguments::has(std::string_view flag) const {
  return std::any_of(flags.begin(), flags.end(),
                     [&](const auto& each) { return each.first == flag; });
}

std::string_view Arguments::value(std::string_view flag, std::string_view otherwise) const {
  for (std::size_t i = flags.size(); i > 0; --i) {
    if (flags[i - 1].first == flag) return flags[i - 1].second;
  }
  return otherwise;
}

std::vector<std::string_view> Arguments::values(std::string_view flag) const {
  std::vector<std::string_view> found;
  for (const auto& [name, value] : flags) {
    if (name == flag) found.emplace_back(value);
  }
  return found;
}

Outcome<Arguments> parse_arguments(const Verb& verb, std::span<const char* const> typed) {
  if (typed.size() > words_limit) return fault(Exit::usage, "too many words");
  std::size_t at = 0;
  while (at < typed.size() && std::string_view(typed[at]) != "--") ++at;
  const std::span<const char* const> after = typed.subspan(std::min(at + 1, typed.size()));
  Arguments arguments;
  if (verb.takes_command) arguments.command.assign(after.begin(), after.end());

  CLI::App app;
  declare_flags(verb, app);
  try {
    std::vector<std::string> reversed(typed.begin(),
                                      typed.begin() + static_cast<std::ptrdiff_t>(at));
    std::reverse(reversed.begin(), reversed.end());
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_fault(verb, explain(error)));
  }
  take_flags(verb, app, arguments);
  if (arguments.wants_help) return arguments;
  auto wrong = take_leftovers(verb, app.remaining(), arguments);
  if (!verb.takes_command) {
    arguments.words.insert(arguments.words.end(), after.begin(), after.end());
  }
  if (!wrong) wrong = check_choices(verb, arguments);
  if (!wrong) wrong = check_words(verb, arguments);
  if (wrong) return std::unexpected(*std::move(wrong));
  return arguments;
}

Outcome<std::int64_t> number_of(const Arguments& arguments, std::string_view flag,
                                std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  if (!arguments.has(flag)) return otherwise;
  const std::string_view text = arguments.value(flag);
  const auto number = parse_integer(text);
  if (number && *number >= least && *number <= most) return *number;
  return fault(Exit::usage, "--" + std::string(flag) + " " + in_quotes(text) +
                                " is not a whole number from " + std::to_string(least) + " to " +
                                std::to_string(most));
}

Fault unknown_verb(std::string_view typed) {
  std::vector<std::string_view> known;
  for (const Verb& verb : verbs()) known.push_back(verb.name);
  std::string_view near = nearest(typed, known);
  const auto letters = [](std::string_view word) {
    std::string sorted(word);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  for (const std::string_view verb : known) {  // Short ones are rather mixed up than misspelt.
    if (near.empty() && letters(verb) == letters(typed)) near = verb;
  }
  return {.exit = Exit::usage,
          .text = "suan has no verb " + in_quotes(typed),
          .remedy = near.empty() ? "suan help" : "suan " + std::string(near)};
}

}  // namespace suan::cli
