#include "cli/views_text.h"

#include <algorithm>

#include "base/text.h"
#include "cli/amounts.h"
#include "cli/width.h"
#include "wire/names.h"

namespace suan::cli {

namespace {

using api::JobState;

constexpr std::size_t tasks_shown_max = 100;

// Lines of "name  value", values aligned, absent ones left out.
class Facts {
 public:
  void add(std::string_view name, const std::string& value) {
    if (value.empty()) return;
    width_ = std::max(width_, display_width(name));
    rows_.emplace_back(name, plain_line(value));
  }
  std::string print(const Layout& layout) const {
    std::string out;
    for (const auto& [name, value] : rows_) {
      const std::string padded = std::string(name) + std::string(width_ - display_width(name), ' ');
      out += layout.has_colour ? paint(Colour::dim, padded) : padded;
      out.append("  ").append(value).append("\n");
    }
    return out;
  }

 private:
  std::size_t width_ = 0;
  std::vector<std::pair<std::string_view, std::string>> rows_;
};

std::string heading(std::string_view text, const Layout& layout) {
  return "\n" + (layout.has_colour ? paint(Colour::bold, text) : std::string(text)) + "\n";
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) out.append(out.empty() ? "" : between).append(part);
  return out;
}

std::string start_of(const api::Candidate& candidate) {
  if (candidate.starts_now) return "now";
  return candidate.is_firm ? "later" : "queued";
}

// "9.4 ms", or "~9.4 ms" where it was not measured.
std::string print_rtt(const api::Candidate& candidate) {
  if (candidate.rtt == Span{}) return "";
  const std::int64_t tenths = (candidate.rtt.us + 50) / 100;
  return (candidate.rtt_is_estimated ? "~" : "") + std::to_string(tenths / 10) + "." +
         std::to_string(tenths % 10) + " ms";
}

std::string print_candidates(const std::vector<api::Candidate>& candidates, const Layout& layout) {
  TextTable table({{"POOL", Align::left, true},
                   {"REGION", Align::left, false, 2},
                   {"CHIP", Align::left, true},
                   {"AS", Align::left, true},
                   {"NODES", Align::right},
                   {"AN HOUR", Align::right},
                   {"RTT", Align::right},
                   {"START"},
                   {"READ", Align::left, false, 1},
                   {layout.is_wide ? "SCORE" : "WHY", Align::left, true}});
  for (const api::Candidate& each : candidates) {
    const std::string age = each.reading_age.us > 0 ? print_rough(each.reading_age) + " ago" : "";
    const std::string first = each.score.empty() ? "" : each.score.front();
    table.add({each.pool, each.region, each.chip, layout.is_wide ? each.alternative : "",
               print_count(each.nodes), print_balance(each.hourly_cost), print_rtt(each),
               Cell(start_of(each), each.starts_now ? Colour::green : Colour::yellow), age,
               layout.is_wide ? joined(each.score, "; ") : first});
  }
  return table.print(layout);
}

std::string print_rejections(const std::vector<api::Rejection>& rejected, const Layout& layout) {
  if (rejected.empty()) return {};
  std::string out = heading("Turned down:", layout);
  for (const auto& each : rejected) {
    // Some texts count for themselves: "3 pools: another chip than H800-SXM".
    const std::string count = std::to_string(each.count) + " ";
    const std::string text = plain_line(each.text.empty() ? each.reason : each.text);
    out.append("  ").append(text.starts_with(count) ? "" : count).append(text);
    if (layout.is_wide) out.append("  [").append(plain_line(each.reason)).append("]");
    out.push_back('\n');
  }
  return out;
}

std::string print_changes(const std::vector<api::Change>& changes, const Layout& layout) {
  if (changes.empty()) return {};
  std::string out = heading("It would start now:", layout);
  for (const auto& each : changes) {
    const std::string text = each.text.empty() ? "with " + each.field + " " + each.to : each.text;
    out.append("  ").append(plain_line(text));
    if (!each.pool.empty()) out.append("  (").append(plain_line(each.pool)).append(")");
    out.push_back('\n');
  }
  return out;
}

std::string sentence(std::string_view text, Colour colour, const Layout& layout) {
  if (text.empty()) return {};
  const std::string plain = plain_line(text);
  return (layout.has_colour ? paint(colour, plain) : plain) + "\n";
}

std::string limit_line(Money hold, Money available) {
  return "Set aside " + print_balance(hold) + " of " + print_balance(available) +
         " on the project's account.\n";
}

Moment now_of(const Layout& layout) {
  return {layout.now_us};
}

// How long it ran, or has been running.
std::string lasted(Moment started, Moment ended, const Layout& layout) {
  if (started == Moment{}) return {};
  return print_rough((ended == Moment{} ? now_of(layout) : ended) - started);
}

std::string count_of(const api::JobView& job) {
  if (job.elements > 1) return print_count(job.elements) + " tasks";
  return job.nodes > 1 ? print_count(job.nodes) + " nodes" : "";
}

// To the second: for exact moments there is -o json.
std::string print_whole(Moment moment) {
  return print_moment({moment.us - moment.us % 1'000'000});
}

// "1 pool", "2 pools".
std::string counted(std::uint64_t count, std::string_view noun) {
  return print_count(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

std::string when(Moment moment, const Layout& layout) {
  if (moment == Moment{}) return {};
  return print_whole(moment) + " (" + print_ago(moment, now_of(layout)) + ")";
}

Cell join_cell(const std::string& state) {
  if (state == "approved") return {state, Colour::green};
  return {state, state == "refused" ? Colour::red : Colour::yellow};
}

Cell connected_cell(bool is_connected) {
  return is_connected ? Cell("yes", Colour::green) : Cell("no", Colour::red);
}

// "12 / 40 ms": the median and the slowest of a hundred; "" before the first.
std::string print_rtt(Span p50, Span p99) {
  if (p50 == Span{}) return {};
  const auto ms = [](Span span) { return std::to_string((span.us + 999) / 1000); };
  return ms(p50) + " / " + ms(p99) + " ms";
}

std::string end_of(const api::AttemptView& attempt) {
  if (attempt.end == AttemptEnd::none) return attempt.state;
  if (attempt.end == AttemptEnd::exited) return "exit " + std::to_string(attempt.exit_code);
  return std::string(wire::enum_name(attempt.end));
}

std::string print_attempts(const api::JobView& job, const Layout& layout) {
  TextTable table({{"TASK", Align::right},
                   {"ATTEMPT", Align::right},
                   {"STATE"},
                   {"POOL", Align::left, true},
                   {"TIME", Align::right},
                   {"CPU TIME", Align::right, false, 2},
                   {"MEMORY", Align::right, false, 1},
                   {"COST", Align::right},
                   {"REASON", Align::left, true}});
  std::size_t shown = 0;
  for (const api::TaskView& task : job.tasks) {
    if (shown++ == tasks_shown_max && !layout.is_wide) break;
    const std::string number = std::to_string(task.task);
    if (task.attempts.empty()) {
      table.add({number, "", state_cell(task.state), "", "", "", "", "", ""});
    }
    for (const api::AttemptView& each : task.attempts) {
      table.add({number, std::to_string(each.number), Cell(end_of(each)), each.pool,
                 lasted(each.started, each.ended, layout), print_rough(each.usage.cpu),
                 print_size(each.usage.memory_peak_bytes), print_cny(each.cost), each.reason});
    }
  }
  if (table.is_empty()) return {};
  std::string out = "\n" + table.print(layout);
  if (shown > tasks_shown_max && !layout.is_wide) {
    out += "… and " + print_count(job.tasks.size() - tasks_shown_max) + " more tasks (-o wide).\n";
  }
  return out;
}

}  // namespace

bool has_ended(JobState state) {
  return state == JobState::finished || state == JobState::failed || state == JobState::cancelled;
}

Cell state_cell(JobState state) {
  Colour colour = Colour::yellow;
  if (state == JobState::running) colour = Colour::green;
  if (state == JobState::finished) colour = Colour::blue;
  if (state == JobState::failed || state == JobState::lost) colour = Colour::red;
  if (state == JobState::cancelled) colour = Colour::dim;
  return {std::string(wire::enum_name(state)), colour};
}

std::string print_found(const api::Found& found, const Layout& layout) {
  std::string out = print_candidates(found.candidates, layout);
  if (found.candidates.empty()) {
    out += sentence("No pool can take this job now.", Colour::yellow, layout);
  } else if (found.total > found.candidates.size()) {
    out += "… and " + print_count(found.total - found.candidates.size()) + " more (--limit).\n";
  }
  out += print_rejections(found.rejected, layout);
  return out + print_changes(found.changes, layout);
}

std::string print_plan(const api::PlanView& plan, const Layout& layout) {
  std::string out = print_candidates(plan.placements, layout);
  if (!out.empty() && !plan.text.empty()) out += "\n";
  out += sentence(plan.text, plan.starts_now ? Colour::green : Colour::yellow, layout);
  if (plan.hold != Money{}) out += limit_line(plan.hold, plan.available);
  if (plan.transfer) {
    const bool is_known = std::ranges::all_of(
        plan.transfer->inputs, [](const api::InputFound& each) { return each.problem.empty(); });
    out += sentence(plan.transfer->text, is_known ? Colour::dim : Colour::yellow, layout);
  }
  if (!plan.refused.empty()) out += sentence("Refused: " + plan.refused, Colour::red, layout);
  out += print_rejections(plan.rejected, layout);
  return out + print_changes(plan.changes, layout);
}

std::string print_jobs(const api::JobList& list, const Layout& layout) {
  TextTable table({{"JOB"},
                   {"NAME", Align::left, true},
                   {"STATE"},
                   {"PROJECT", Align::left, true, 5},
                   {"USER", Align::left, true},
                   {"PER NODE", Align::left, true},
                   {"SIZE", Align::left, false, 3},
                   {"POOL", Align::left, true},
                   {"SUBMITTED", Align::right, false, 4},
                   {"TIME", Align::right},
                   {"COST", Align::right, false, 2},
                   {"REASON", Align::left, true}});
  for (const api::JobView& job : list.jobs) {
    table.add({"job-" + std::to_string(job.id.value), job.name, state_cell(job.state), job.project,
               layout.is_wide ? job.user : "", print_cards(job.chip, job.card_milli, job.cpu_milli),
               count_of(job), job.pool, print_ago(job.submitted, now_of(layout)),
               lasted(job.started, job.ended, layout), print_cny(job.cost), job.reason});
  }
  if (table.is_empty()) return "No jobs.\n";
  return table.print(layout) + (list.next.empty() ? "" : "… and older ones (--limit).\n");
}

std::string print_job(const api::JobView& job, const Layout& layout) {
  Facts facts;
  const Cell state = state_cell(job.state);
  facts.add("job", "job-" + std::to_string(job.id.value));
  facts.add("name", job.name);
  facts.add("state", state.text + (job.reason.empty() ? "" : ": " + job.reason));
  if (has_ended(job.state)) facts.add("exit code", std::to_string(job.exit_code));
  facts.add("project", job.project);
  facts.add("user", job.user);
  facts.add("each node", print_cards(job.chip, job.card_milli, job.cpu_milli));
  facts.add("cores", job.chip.empty() ? "" : print_milli(job.cpu_milli));
  facts.add("memory", print_size(job.memory_bytes));
  facts.add("size", count_of(job));
  facts.add("pool", job.pool);
  facts.add("submitted", when(job.submitted, layout));
  facts.add("started", when(job.started, layout));
  facts.add("ended", when(job.ended, layout));
  facts.add("time", lasted(job.started, job.ended, layout));
  facts.add("at most", print_rough(job.max_duration));
  facts.add("an hour", print_cny(job.hourly_cost));
  facts.add("cost", print_cny(job.cost));
  facts.add("set aside", print_cny(job.held));
  facts.add("budget", print_cny(job.budget));
  return facts.print(layout) + print_attempts(job, layout);
}

std::string print_why(const api::WhyView& why, const Layout& layout) {
  std::string out =
      "job-" + std::to_string(why.id.value) + " is " +
      (layout.has_colour ? paint(state_cell(why.state).colour, wire::enum_name(why.state))
                         : std::string(wire::enum_name(why.state))) +
      (why.text.empty() ? "" : ": " + plain_line(why.text)) + "\n";
  if (why.pools > 0) out += "Looked at " + counted(why.pools, "pool") + ".\n";
  if (why.ahead > 0) out += "Ahead of it: " + counted(why.ahead, "waiting job") + ".\n";
  if (!why.chosen.pool.empty()) {
    out += heading("Chosen:", layout) + print_candidates({why.chosen}, layout);
  }
  if (!why.alternatives.empty()) {
    out += heading("Instead of:", layout) + print_candidates(why.alternatives, layout);
  }
  out += print_rejections(why.rejected, layout);
  out += print_changes(why.changes, layout);
  if (why.nothing_helps) out += "\nNo single change would let it start now.\n";
  if (!why.history.empty()) out += heading("On the way:", layout);
  for (const std::string& each : why.history) out += "  " + plain_line(each) + "\n";
  return out;
}

std::string print_costs(const api::CostView& costs, const Layout& layout) {
  TextTable table({{"JOB"},
                   {"TASK", Align::right},
                   {"PROJECT", Align::left, true, 2},
                   {"POOL", Align::left, true},
                   {"FROM"},
                   {"TO", Align::left, false, 1},
                   {"QUANTITY", Align::right},
                   {"UNIT", Align::left, true},
                   {"PRICE", Align::right},
                   {"COST", Align::right},
                   {"WHAT", Align::left, true}});
  for (const api::ChargeView& each : costs.charges) {
    char quantity[32];
    std::snprintf(quantity, sizeof quantity, "%.4f", each.pricing_quantity);
    const auto at = [&](Moment moment) {
      return layout.is_wide ? print_whole(moment) : print_ago(moment, now_of(layout));
    };
    table.add({"job-" + std::to_string(each.job.value), std::to_string(each.task),
               each.sub_account_name, each.resource_name,
               layout.is_wide ? at(each.charge_period_start) : "", at(each.charge_period_end),
               quantity, each.consumed_unit, print_balance(each.list_unit_price),
               print_balance(each.billed_cost), each.charge_description});
  }
  std::string out = table.is_empty() ? "No charges.\n" : table.print(layout);
  if (!costs.next.empty()) out += "… and older ones (--limit).\n";
  const std::string total = "Total " + print_balance(costs.total);
  return out + (layout.has_colour ? paint(Colour::bold, total) : total) + "\n";
}

std::string print_projects(const api::ProjectList& list, const Layout& layout) {
  TextTable table({{"PROJECT"},
                   {"ORGANISATION", Align::left, true},
                   {"AVAILABLE", Align::right},
                   {"SET ASIDE", Align::right},
                   {"SPENT", Align::right}});
  for (const api::ProjectView& each : list.projects) {
    table.add({each.name, each.organisation, print_balance(each.available),
               print_balance(each.held), print_balance(each.charged)});
  }
  return table.is_empty() ? "No projects.\n" : table.print(layout);
}

std::string print_keys(const api::KeyList& list, const Layout& layout) {
  TextTable table({{"KEY"},
                   {"USER", Align::left, true},
                   {"ORGANISATION", Align::left, true},
                   {"ROLE"},
                   {"LABEL", Align::left, true},
                   {"CREATED"},
                   {"REVOKED"}});
  for (const api::KeyView& each : list.keys) {
    table.add({"key-" + std::to_string(each.id.value), each.user, each.organisation, each.role,
               each.label, print_ago(each.created, now_of(layout)),
               Cell(print_ago(each.revoked, now_of(layout)), Colour::red)});
  }
  return table.is_empty() ? "No keys.\n" : table.print(layout);
}

std::string print_members(const api::MemberList& list, const Layout& layout) {
  TextTable members({{"NAME"},
                     {"STATE"},
                     {"CONNECTED"},
                     {"HEARD", Align::left, false, 2},
                     {"RTT", Align::right, false, 3},
                     {"POOLS", Align::right},
                     {"KEY", Align::left, false, 1},
                     {"PROBLEM", Align::left, true}});
  for (const api::MemberView& each : list.members) {
    if (each.kind != "domain") continue;
    members.add({each.name, join_cell(each.state), connected_cell(each.connected),
                 print_ago(each.heard, now_of(layout)), print_rtt(each.rtt_p50, each.rtt_p99),
                 print_count(each.pools), each.fingerprint, each.problem});
  }
  TextTable parents({{"NAME"},
                     {"CONNECTED"},
                     {"HEARD", Align::left, false, 2},
                     {"RTT", Align::right, false, 3},
                     {"KEY", Align::left, false, 1},
                     {"PROBLEM", Align::left, true}});
  for (const api::ParentView& each : list.parents) {
    parents.add({each.name, connected_cell(each.connected), print_ago(each.heard, now_of(layout)),
                 print_rtt(each.rtt_p50, each.rtt_p99), each.fingerprint, each.problem});
  }
  std::string out = members.is_empty() ? "No domain has asked to join: `suan join token` makes a "
                                         "token that lets one ask.\n"
                                       : members.print(layout);
  if (!parents.is_empty()) out += heading("Parents:", layout) + parents.print(layout);
  return out;
}

std::string print_notice(const api::Notice& notice, const Layout& layout) {
  const Cell state = state_cell(notice.state);
  const std::string job = notice.job ? "job-" + std::to_string(notice.job.value) : "-";
  return print_whole(notice.at) + "  " + job + "  " +
         (layout.has_colour ? paint(state.colour, state.text) : state.text) + "  " +
         plain_line(notice.event) + "\n";
}

}  // namespace suan::cli
