#include <dirent.h>

#include "cli/call.h"
#include "cli/views_text.h"
#include "cli/workdir.h"
#include "net/url.h"

namespace suan::cli {

namespace {

// Shows what would happen; the plan, unless the server would refuse it.
Outcome<api::PlanView> show_plan(Call& call, bool is_result) {
  SUAN_TRY(const std::string body, call.session.ask("/v1/plans", call.spec.json));
  SUAN_TRY(api::PlanView plan, Session::parse<api::PlanView>(body));
  if (!is_result)
    call.screen.note(print_plan(plan, call.screen.note_layout()));
  else
    SUAN_CHECK(show<api::PlanView>(call, body, print_plan));
  if (!plan.refused.empty()) return fault(Exit::refused, plan.refused);
  return plan;
}

Outcome<api::Accepted> submit(Call& call, const std::string& plan_id) {
  const std::string target =
      plan_id.empty() ? "/v1/jobs" : "/v1/jobs?plan_id=" + net::percent_encode(plan_id);
  return call.session.change(net::Method::post, target, call.spec.json);
}

// Asks until the answer is no, or the plan that was agreed to still held when it arrived.
Outcome<api::Accepted> submit_agreed(Call& call, PackedDirectory& workdir) {
  while (true) {
    SUAN_TRY(const api::PlanView plan, show_plan(call, false));
    if (!call.screen.confirm("Run it?")) {
      return fault(Exit::failure, "not submitted");
    }
    SUAN_CHECK(workdir.bring(call));
    auto accepted = submit(call, plan.plan_id);
    if (accepted || accepted.error().code != "plan_stale") return accepted;
    call.screen.note("\nThe plan no longer holds. This one does:\n\n");
  }
}

Outcome<api::Accepted> submit_as_told(Call& call, PackedDirectory& workdir) {
  const Arguments& arguments = call.arguments;
  if (arguments.has("yes") || arguments.has("curl")) {
    if (!arguments.has("detach") && !arguments.has("curl")) SUAN_CHECK(show_plan(call, false));
    if (!arguments.has("curl")) SUAN_CHECK(workdir.bring(call));
    return submit(call, "");
  }
  return submit_agreed(call, workdir);
}

// A request of an earlier call that was never answered may be a job that runs.
void mention_stored(Call& call) {
  DIR* directory = ::opendir(requests_directory().c_str());
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory)) {
    if (!parse_request_id(entry->d_name)) continue;
    call.screen.note("An earlier request was never answered: suan run --resume " +
                     std::string(entry->d_name) + "\n");
    break;
  }
  ::closedir(directory);
}

Outcome<int> show_accepted(Call& call, const api::Accepted& accepted) {
  if (!call.is_for_people()) return print_body(call, wire::to_json(accepted));
  call.screen.print(accepted.id + "\n");
  return 0;
}

}  // namespace

Outcome<int> run(Call& call) {
  const Arguments& arguments = call.arguments;
  if (arguments.has("resume")) {
    SUAN_TRY(const api::Accepted accepted, call.session.resume(arguments.value("resume")));
    return show_accepted(call, accepted);
  }
  SUAN_TRY(call.spec, make_spec(arguments, call.screen.in()));
  if (!call.spec.has_run) {
    return fault(Exit::usage, "there is nothing to run",
                 "suan run [flags] -- COMMAND, or -f RUN.YAML");
  }
  PackedDirectory workdir;
  SUAN_CHECK(workdir.pack(call));
  const bool is_dry = arguments.has("dry-run");
  if (is_dry) {
    SUAN_CHECK(show_plan(call, true));
    return 0;
  }
  if (!arguments.has("yes") && !arguments.has("curl")) {
    if (!call.screen.can_ask()) {
      return fault(Exit::usage, "there is no terminal to ask on whether to run this",
                   "-y to run it unasked, or -n to see the plan");
    }
    mention_stored(call);
  }
  SUAN_TRY(const api::Accepted accepted, submit_as_told(call, workdir));
  if (arguments.has("detach")) return show_accepted(call, accepted);
  if (call.screen.can_ask()) call.screen.note(accepted.id + "\n");
  return follow(call, accepted);
}

}  // namespace suan::cli
