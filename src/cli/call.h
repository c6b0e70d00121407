#pragma once

#include <string>
#include <string_view>

#include "cli/arguments.h"
#include "cli/fault.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "cli/spec_text.h"

namespace suan::cli {

/// One call of a verb: what was typed, and what it may use.
struct Call {
  const Arguments& arguments;
  Screen& screen;
  Session& session;
  SpecText spec = {};  // Of verbs that take one, once it is read: places for faults.

  std::string_view form() const { return arguments.value("output", "table"); }
  bool is_for_people() const { return form() == "table" || form() == "wide"; }
  Layout layout() const { return screen.layout(form() == "wide"); }
};

/// The verbs that talk to a server. Each returns the exit code of a call that went well.
Outcome<int> find(Call&);
Outcome<int> plan(Call&);
Outcome<int> run(Call&);
Outcome<int> ps(Call&);
Outcome<int> why(Call&);
Outcome<int> logs(Call&);
Outcome<int> exec(Call&);
Outcome<int> copy(Call&);
Outcome<int> stop(Call&);
Outcome<int> cost(Call&);
Outcome<int> login(Call&);
Outcome<int> key(Call&);
Outcome<int> project(Call&);
Outcome<int> join(Call&);
Outcome<int> drain(Call&);
Outcome<int> resolve(Call&);

/// Prints the body as -o json or -o yaml.
Outcome<int> print_body(Call&, std::string_view body);

/// What to answer when a sub-verb has not the words that it takes.
Fault wants(std::string_view usage);

/// Prints a body in the form asked for; for people through `print`.
template <wire::Record T>
Outcome<int> show(Call& call, std::string_view body,
                  std::string (*print)(const T&, const Layout&)) {
  if (!call.is_for_people()) return print_body(call, body);
  SUAN_TRY(const T value, Session::parse<T>(body));
  call.screen.print(print(value, call.layout()));
  return 0;
}

/// Shows the list of jobs, or one, again at every change until Ctrl-C. As `ps` without -w at first.
Outcome<int> watch(Call&);

/// The jobs that `ps` shows, newest first: those that have not ended, unless told otherwise.
Outcome<api::JobList> read_jobs(const Arguments&, Session&);

/// Prints the output of a job that was just accepted until it ends; Ctrl-C leaves it running. The
/// job's exit code.
Outcome<int> follow(Call&, const api::Accepted& job);

/// "job-42" from "job-42" or "42"; a fault of `usage` otherwise.
Outcome<std::string> job_name(std::string_view typed);

}  // namespace suan::cli
