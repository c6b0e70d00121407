#include "cli/views_text.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/golden.h"
#include "cli/session.h"

namespace suan::cli {
namespace {

const Moment now = *parse_moment("2026-11-23T08:00:00Z");

// As on a terminal of 100 columns, in the wide form, and in colour.
std::string in_every_form(auto print, const auto& view) {
  const Layout narrow{.columns = 80, .now_us = now.us};
  const Layout wide{.is_wide = true, .now_us = now.us};
  const Layout painted{.columns = 70, .has_colour = true, .now_us = now.us};
  std::string colours = print(view, painted);
  for (std::size_t at = 0; (at = colours.find('\x1b', at)) != colours.npos;) colours[at] = '^';
  return print(view, narrow) + "----\n" + print(view, wide) + "----\n" + colours;
}

api::Candidate candidate(std::string pool, std::int64_t cny, bool starts_now) {
  api::Candidate each;
  each.pool = std::move(pool);
  each.region = "cn-sh";
  each.chip = "H800-SXM";
  each.alternative = "H800-SXM:8";
  each.nodes = 12;
  each.hourly_cost = yuan(cny);
  each.is_firm = starts_now;
  each.starts_now = starts_now;
  if (!starts_now) each.reading_age = seconds(95);
  each.score = {"cost 18.40 CNY/h", "carbon 0.4 kg/h"};
  return each;
}

const std::vector<api::Rejection> rejections{
    {"chip_differs", "1204 pools: another chip than H800-SXM", 1204}, {"price_above_limit", "", 3}};
const std::vector<api::Change> changes{{"price.max_hourly_cost", "160", "172",
                                        "with price.max_hourly_cost 172 instead of 160", "sh/h"},
                                       {"num_nodes", "4", "3", "", ""}};

TEST(ViewsText, Found) {
  api::Found found;
  found.total = 30;
  found.candidates = {candidate("sh/h800", 160, true), candidate("上海超算/训练池", 172, false)};
  found.rejected = rejections;
  api::Found near;
  near.total = 2;
  near.candidates = {candidate("sh/h800", 160, true), candidate("js/h800", 172, true)};
  near.candidates[0].rtt = microseconds(1'849);
  near.candidates[1].rtt = microseconds(4'160);
  near.candidates[1].rtt_is_estimated = true;
  expect_golden("view-found-near", in_every_form(print_found, near));
  api::Found nothing;
  nothing.rejected = rejections;
  nothing.changes = changes;
  expect_golden("view-found",
                in_every_form(print_found, found) + "====\n" + in_every_form(print_found, nothing));
}

TEST(ViewsText, Plan) {
  api::PlanView plan;
  plan.starts_now = true;
  plan.text = "Would start now on sh/h800.";
  plan.hourly_cost = yuan(160);
  plan.hold = yuan(160);
  plan.available = yuan(10'000);
  plan.placements = {candidate("sh/h800", 160, true), candidate("js/h800", 172, true)};
  plan.rejected = rejections;
  plan.transfer.emplace();
  plan.transfer->text = "3.2 GB in 12 files to bring first, about 40s as quickly as lately";
  plan.transfer->inputs.resize(1);
  api::PlanView refused;
  refused.text = "Nothing fits.";
  refused.refused = "the project lab-a has 5 CNY and this needs 160 CNY";
  refused.changes = changes;
  expect_golden("view-plan",
                in_every_form(print_plan, plan) + "====\n" + in_every_form(print_plan, refused));
}

api::JobView job(std::uint64_t id, api::JobState state) {
  api::JobView view;
  view.id = {id};
  view.name = "大模型微调-qwen";
  view.project = "lab-a";
  view.user = "alice";
  view.state = state;
  view.submitted = now - minutes(65);
  view.chip = "H800-SXM";
  view.card_milli = 8000;
  view.cpu_milli = 64'000;
  view.memory_bytes = 512'000'000'000;
  view.nodes = 4;
  view.hourly_cost = yuan(640);
  if (state == api::JobState::queued) {
    view.reason = "no pool has 4 free nodes of H800-SXM:8\x1b[2J";
    return view;
  }
  view.pool = "上海超算/训练池";
  view.started = now - minutes(60);
  view.cost = {640'500'000};
  if (state == api::JobState::failed) {
    view.ended = now - minutes(1);
    view.exit_code = 137;
    view.reason = "out of memory";
  }
  return view;
}

TEST(ViewsText, Jobs) {
  api::JobList list;
  list.jobs = {job(44, api::JobState::queued), job(43, api::JobState::running),
               job(42, api::JobState::failed)};
  list.next = "42";
  expect_golden("view-jobs",
                in_every_form(print_jobs, list) + "====\n" + print_jobs(api::JobList{}, Layout{}));
}

TEST(ViewsText, Job) {
  api::JobView view = job(42, api::JobState::failed);
  api::TaskView task;
  task.state = api::JobState::failed;
  api::AttemptView attempt;
  attempt.number = 1;
  attempt.state = "ended";
  attempt.pool = view.pool;
  attempt.started = view.started;
  attempt.ended = view.ended;
  attempt.end = AttemptEnd::out_of_memory;
  attempt.exit_code = 137;
  attempt.usage = {.wall = minutes(59), .cpu = hours(30), .memory_peak_bytes = 511'000'000'000};
  attempt.cost = view.cost;
  task.attempts = {attempt};
  view.tasks = {task, {1, api::JobState::queued, {}}};
  expect_golden("view-job", in_every_form(print_job, view) + "====\n" +
                                in_every_form(print_job, job(44, api::JobState::queued)));
}

TEST(ViewsText, AJobOfManyTasksIsNotAllShown) {
  api::JobView view = job(42, api::JobState::running);
  for (std::uint32_t i = 0; i < 1234; ++i) view.tasks.push_back({i, api::JobState::queued, {}});
  EXPECT_TRUE(print_job(view, {}).ends_with("  99  queued\n… and 1,134 more tasks (-o wide).\n"))
      << print_job(view, {});
  EXPECT_TRUE(print_job(view, {.is_wide = true}).ends_with("1233  queued\n"));
}

TEST(ViewsText, Why) {
  api::WhyView waiting;
  waiting.id = {44};
  waiting.text = "no pool has 4 free nodes";
  waiting.pools = 1207;
  waiting.rejected = rejections;
  waiting.changes = changes;
  waiting.ahead = 2;
  api::WhyView placed;
  placed.id = {43};
  placed.state = api::JobState::running;
  placed.chosen = candidate("sh/h800", 160, true);
  placed.alternatives = {candidate("js/h800", 172, true)};
  placed.history = {"zj/h800 refused: draining"};
  placed.nothing_helps = true;
  expect_golden("view-why",
                in_every_form(print_why, waiting) + "====\n" + in_every_form(print_why, placed));
}

TEST(ViewsText, Money) {
  api::CostView costs;
  api::ChargeView charge;
  charge.job = {42};
  charge.sub_account_name = "lab-a";
  charge.resource_name = "sh/h800";
  charge.charge_period_start = now - hours(2);
  charge.charge_period_end = now - hours(1);
  charge.consumed_unit = "Accelerator-Hours";
  charge.consumed_quantity = 8;
  charge.pricing_quantity = 8;
  charge.list_unit_price = yuan(20);
  charge.billed_cost = yuan(160);
  costs.charges = {charge};
  costs.total = yuan(1600);
  costs.next = "7";
  api::ProjectList projects;
  projects.projects = {{{1}, "lab-a", "复旦大学", yuan(840), yuan(0), yuan(160)}};
  api::KeyList keys;
  keys.keys = {{{3}, "alice", "复旦大学", "consumer", "laptop", now - hours(30), {}},
               {{4}, "bob", "", "operator", "", now - hours(30), now - minutes(2)}};
  expect_golden("view-money", in_every_form(print_costs, costs) + "====\n" +
                                  in_every_form(print_projects, projects) + "====\n" +
                                  in_every_form(print_keys, keys));
}

TEST(ViewsText, Members) {
  api::MemberList list;
  api::MemberView member;
  member.name = "this-machine";
  member.kind = "engine";
  list.members.push_back(member);
  member = {};
  member.id = {2};
  member.name = "hubei";
  member.kind = "domain";
  member.state = "approved";
  member.fingerprint = "0123456789abcdef";
  member.connected = true;
  member.heard = now - seconds(3);
  member.rtt_p50 = {11'400};
  member.rtt_p99 = milliseconds(40);
  member.pools = 1204;
  list.members.push_back(member);
  member.name = "hunan";
  member.connected = false;
  member.heard = now - hours(2);
  member.problem = "nothing was heard for 30 s\x1b[2J";
  member.rtt_p50 = member.rtt_p99 = {};
  list.members.push_back(member);
  member = {};
  member.name = "wuhan.lab-1";
  member.kind = "domain";
  member.state = "asked";
  member.fingerprint = "fedcba9876543210";
  list.members.push_back(member);
  api::MemberList parents;
  api::ParentView parent;
  parent.name = "national";
  parent.problem = "the certificate is not trusted";
  parents.parents.push_back(parent);
  expect_golden("view-members", in_every_form(print_members, list) + "====\n" +
                                    in_every_form(print_members, parents) + "====\n" +
                                    print_members({}, {}));
}

TEST(Faults, SayWhereAndWhatToTry) {
  SpecText spec{.json = "{}", .file = "run.yaml"};
  spec.flags = {{"/resources/accelerators", "--gpus"}};
  spec.yaml.positions["/price/budgte"] = {12, 3};
  const Fault in_flag{.exit = Exit::refused,
                      .text = "there is no chip H880",
                      .pointer = "/resources/accelerators",
                      .remedy = "H800-SXM"};
  const Fault in_file{.exit = Exit::refused,
                      .text = "budgte is not a field of price",
                      .pointer = "/price/budgte",
                      .remedy = "budget"};
  const Fault elsewhere{
      .exit = Exit::failure, .text = "the disk is full\x1b[31m", .pointer = "/var"};
  std::string out;
  for (const bool has_colour : {false, true}) {
    const Layout layout{.has_colour = has_colour};
    out += print_fault(in_flag, spec, layout) + print_fault(in_file, spec, layout) +
           print_fault(elsewhere, {}, layout);
  }
  EXPECT_EQ(print_fault({.exit = Exit::ok}, {}, {}), "");
  for (std::size_t at = 0; (at = out.find('\x1b', at)) != out.npos;) out[at] = '^';
  expect_golden("faults", out);
}

TEST(Faults, ComeFromProblemsOrStatuses) {
  net::Response response;
  response.status = 422;
  response.body =
      R"({"type":"urn:suan:problem:invalid","title":"Invalid","status":422,"code":"invalid",
          "detail":"wrong","pointer":"/run","suggestion":"right"})";
  Fault fault = to_fault(response);
  EXPECT_EQ(fault.exit, Exit::refused);
  EXPECT_EQ(fault.text, "wrong");
  EXPECT_EQ(fault.pointer, "/run");
  EXPECT_EQ(fault.remedy, "right");
  EXPECT_EQ(fault.code, "invalid");
  response = {.status = 502, .content_type = "text/html", .headers = {}, .body = "<h1>"};
  EXPECT_EQ(to_fault(response).text, "the server answered 502 Bad Gateway");
  response.status = 401;
  EXPECT_EQ(to_fault(response).remedy, "suan login");
}

}  // namespace
}  // namespace suan::cli
