#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/views_text.h"
#include "cli/width.h"

namespace suan::cli {

namespace {

constexpr Span patience = milliseconds(300);

// Candidates that begin with what was typed, in the order found, each once.
class Candidates {
 public:
  explicit Candidates(std::string_view start) : start_(start) {}

  void add(std::string_view word, std::string_view text = {}) {
    if (word.empty() || !word.starts_with(start_) || !seen_.insert(std::string(word)).second)
      return;
    out_.append(word).append("\t").append(plain_line(text)).append("\n");
  }
  void add_words(std::string_view list) {
    for_each_word(list, [&](std::string_view word) { add(word); });
  }
  std::string take() { return std::move(out_); }

 private:
  std::string_view start_;
  std::set<std::string> seen_;
  std::string out_;
};

/// Asks the server what there is. Nothing is said about what goes wrong.
class Asker {
 public:
  Asker(Settings settings, Screen& screen)
      : session_(std::move(settings), screen, false, patience) {}

  void add_jobs(Candidates& candidates) {
    const auto list = session_.read<api::JobList>("/v1/jobs?limit=50");
    if (!list) return;
    for (const api::JobView& job : list->jobs) {
      candidates.add("job-" + std::to_string(job.id.value),
                     state_cell(job.state).text + " " + job.name);
    }
  }
  void add_projects(Candidates& candidates) {
    const auto list = session_.read<api::ProjectList>("/v1/projects");
    if (!list) return;
    for (const api::ProjectView& each : list->projects) candidates.add(each.name);
  }
  void add_keys(Candidates& candidates) {
    const auto list = session_.read<api::KeyList>("/v1/keys");
    if (!list) return;
    for (const api::KeyView& each : list->keys) {
      candidates.add("key-" + std::to_string(each.id.value), each.user + " " + each.label);
    }
  }
  void add_joiners(Candidates& candidates) {
    const auto list = session_.read<api::MemberList>("/v1/members");
    if (!list) return;
    for (const api::MemberView& each : list->members) {
      if (!each.state.empty()) candidates.add(each.name, each.state);
    }
  }
  void add_from_pools(Candidates& candidates, Completes what) {
    const auto list = session_.read<api::PoolList>("/v1/pools");
    if (!list) return;
    for (const api::PoolView& each : list->pools) {
      if (what == Completes::chip) candidates.add(each.pool.chip, each.name);
      if (what == Completes::region) candidates.add(each.region, each.city);
      if (what == Completes::site)
        candidates.add(each.name.substr(0, each.name.find('/')), each.city);
    }
  }
  void add(Candidates& candidates, Completes what) {
    if (what == Completes::job) add_jobs(candidates);
    if (what == Completes::project) add_projects(candidates);
    if (what == Completes::key) add_keys(candidates);
    if (what == Completes::joiner) add_joiners(candidates);
    if (what == Completes::chip || what == Completes::region || what == Completes::site)
      add_from_pools(candidates, what);
  }

 private:
  Session session_;
};

const Flag* flag_of(const Verb& verb, std::string_view word) {
  const Flag* found = nullptr;
  for_each_flag(verb, [&](const Flag& flag) {
    const bool is_long =
        word.starts_with("--") &&
        (word.substr(2) == flag.name || (!flag.alias.empty() && word.substr(2) == flag.alias));
    const bool is_short =
        word.size() == 2 && word[0] == '-' && flag.letter != 0 && word[1] == flag.letter;
    if (is_long || is_short) found = &flag;
  });
  return found;
}

void add_flags(const Verb& verb, Candidates& candidates) {
  for_each_flag(
      verb, [&](const Flag& flag) { candidates.add("--" + std::string(flag.name), flag.text); });
  candidates.add("--help", "Show the help of this verb");
}

// Whom the typed --url and --key name; nullopt-like empty settings never answer in time.
Settings settings_of(const Verb& verb, std::span<const char* const> words) {
  Arguments arguments;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const Flag* flag = flag_of(verb, words[i]);
    if (flag && (flag->name == "url" || flag->name == "key")) {
      arguments.flags.emplace_back(flag->name, words[i + 1]);
    }
  }
  auto settings = read_settings(arguments);
  return settings ? *std::move(settings) : Settings{};
}

void add_known(const Verb& verb, Completes what, std::span<const char* const> words,
               Candidates& candidates, Screen& screen) {
  if (what == Completes::nothing || what == Completes::file) return;
  Asker(settings_of(verb, words), screen).add(candidates, what);
}

// How many of the words are not flags or values of flags.
std::size_t count_words(const Verb& verb, std::span<const char* const> words) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const Flag* flag = flag_of(verb, word);
    if (flag && !flag->value.empty()) ++i;
    if (word.empty() || word.front() != '-') ++count;
  }
  return count;
}

struct Offer {
  Candidates& candidates;
  Screen& screen;
};

// What could stand at `last`, behind the words that stand before it.
void complete_verb(const Verb& verb, std::span<const char* const> before, std::string_view last,
                   Offer offer) {
  for (const std::string_view word : before) {
    if (word == "--") return;
  }
  const Flag* flag = before.empty() ? nullptr : flag_of(verb, before.back());
  if (flag && !flag->value.empty()) {
    offer.candidates.add_words(flag->choices);
    add_known(verb, flag->completes, before, offer.candidates, offer.screen);
    return;
  }
  if (last.starts_with('-')) return add_flags(verb, offer.candidates);
  const bool is_first = count_words(verb, before) == 0;
  if (is_first) offer.candidates.add_words(verb.first_words);
  if (!is_first || verb.first_words.empty()) {
    add_known(verb, verb.completes, before, offer.candidates, offer.screen);
  }
}

}  // namespace

std::string complete(std::span<const char* const> typed, Screen& screen) {
  if (typed.empty()) return {};
  Candidates candidates(typed.back());
  if (typed.size() > 2 && typed[0] == std::string_view("site") &&
      typed[1] == std::string_view("drain")) {
    complete_verb(*find_verb("site drain"), typed.subspan(2, typed.size() - 3), typed.back(),
                  {candidates, screen});
    return candidates.take();
  }
  const Verb* verb = find_verb(typed.front());
  if (typed.size() == 1 || (verb && verb->name == "help" && typed.size() == 2)) {
    for (const Verb& each : verbs()) {
      if (each.name.find(' ') == each.name.npos) candidates.add(each.name, each.summary);
    }
  } else if (verb) {
    const auto before = typed.subspan(1, typed.size() - 2);
    complete_verb(*verb, before, typed.back(), {candidates, screen});
  }
  return candidates.take();
}

}  // namespace suan::cli
