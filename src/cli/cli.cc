#include "cli/cli.h"

#include <array>
#include <string_view>

#include "cli/call.h"
#include "cli/help.h"
#include "cli/width.h"

#ifndef SUAN_VERSION
#error "SUAN_VERSION is set by CMakeLists.txt"
#endif

namespace suan::cli {

namespace {

using Act = Outcome<int> (*)(Call&);

Act act_of(std::string_view verb) {
  struct Row {
    std::string_view name;
    Act act;
  };
  constexpr std::array<Row, 16> acts{{{"find", find},
                                      {"plan", plan},
                                      {"run", run},
                                      {"ps", ps},
                                      {"why", why},
                                      {"logs", logs},
                                      {"exec", exec},
                                      {"cp", copy},
                                      {"stop", stop},
                                      {"cost", cost},
                                      {"login", login},
                                      {"key", key},
                                      {"project", project},
                                      {"join", join},
                                      {"site drain", drain},
                                      {"resolve", resolve}}};
  for (const Row& row : acts) {
    if (row.name == verb) return row.act;
  }
  return nullptr;
}

int fail(const Fault& fault, const SpecText& spec, Screen& screen) {
  screen.note(print_fault(fault, spec, screen.note_layout()));
  return static_cast<int>(fault.exit);
}

int show_help(std::string_view name, Screen& screen) {
  if (name.empty()) {
    screen.print(print_overview());
    return 0;
  }
  const Verb* verb = find_verb(name);
  if (!verb) return fail(unknown_verb(name), {}, screen);
  screen.print(print_help(*verb));
  return 0;
}

bool is_help(std::string_view word) {
  return word == "--help" || word == "-h";
}

int call_verb(const Verb& verb, std::span<const char* const> typed, Screen& screen) {
  auto arguments = parse_arguments(verb, typed);
  if (!arguments) return fail(arguments.error(), {}, screen);
  if (arguments->wants_help) return show_help(verb.name, screen);
  auto settings = read_settings(*arguments);
  if (!settings) return fail(settings.error(), {}, screen);
  Session session(*std::move(settings), screen, arguments->has("curl"));
  Call call{*arguments, screen, session};
  const Act act = act_of(verb.name);
  if (!act) return fail(unknown_verb(verb.name), {}, screen);
  const auto ended = act(call);
  if (!ended) return fail(ended.error(), call.spec, screen);
  if (!screen.is_ok()) return static_cast<int>(Exit::failure);
  return *ended;
}

}  // namespace

std::string print_fault(const Fault& fault, const SpecText& spec, const Layout& layout) {
  if (fault.text.empty()) return {};
  const auto label = [&](std::string_view text, Colour colour) {
    return layout.has_colour ? paint(colour, text) : std::string(text);
  };
  std::string out = label("error:", Colour::red) + " " + plain_text(fault.text) + "\n";
  if (!fault.pointer.empty()) {
    const bool is_pointer = fault.pointer.front() == '/' && !(spec.json.empty());
    const std::string place = is_pointer ? spec.place_of(fault.pointer) : "";
    out +=
        "   at: " + plain_line(place.empty() ? fault.pointer : place + " (" + fault.pointer + ")");
    out += "\n";
  }
  if (!fault.remedy.empty()) {
    out += "  " + label("try:", Colour::green) + " " + plain_text(fault.remedy) + "\n";
  }
  for (const Fault& other : fault.others) out += print_fault(other, spec, layout);
  return out;
}

bool show_help_if_asked(std::string_view verb, std::span<const char* const> typed, Screen& screen) {
  for (const char* word : typed) {
    if (!is_help(word)) continue;
    show_help(verb, screen);
    return true;
  }
  return false;
}

int main(std::span<const char* const> typed, Screen& screen) {
  if (typed.empty() || is_help(typed.front())) return show_help("", screen);
  const std::string_view name = typed.front();
  const auto rest = typed.subspan(1);
  if (name == "--version" || name == "-V") {
    screen.print("suan " SUAN_VERSION "\n");
    return 0;
  }
  if (name == "help") return show_help(rest.empty() ? "" : rest.front(), screen);
  if (name == "__complete") {
    screen.print(complete(rest, screen));
    return 0;
  }
  const Verb* verb = find_verb(name);
  if (!verb) return fail(unknown_verb(name), {}, screen);
  return call_verb(*verb, rest, screen);
}

}  // namespace suan::cli
