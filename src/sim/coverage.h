#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/events.h"
#include "domain/refusal.h"

namespace suan::sim {

/// What the simulated world does to a domain.
enum class Fault : std::uint8_t {
  crash_before_append,
  crash_after_append,
  sync_failed,
  power_lost_at_sync,
  no_space,
  killed_between_steps,
  killed_while_starting,
  long_downtime,
  restarted_from_snapshot,
  restarted_from_first_record,
  leader_deposed,
  space_low,
  effect_duplicated,
  effect_overtaken,
  effect_lost_in_crash,
  progress_duplicated,
  progress_overtaken,
  progress_dropped,
  progress_lost_in_crash,
  end_repeated,
  reply_lost,
  request_duplicated,
  request_repeated_later,
  request_with_other_body,
  request_too_old,
  request_from_the_future,
  clock_stepped_back,
  clock_stepped_forward,
  clock_leapt,
  machine_rebooted,
  node_down,
  neighbour_came,
  neighbour_left,
  launch_failed,
  displaced,
  ran_out_of_memory,
  died_of_signal,
  ignored_term,
  pool_shrunk,
  pool_grown,
  pool_drained,
  pool_closed,
  pool_withdrawn,
  pool_new,
  price_changed,
  foreign_project,
  forbidden_command,
};

/// What happens between domains, of a run that has several.
enum class Between : std::uint8_t {
  cut,
  cut_for_long,
  cut_one_way,
  message_lost_in_cut,
  message_lingered,  // It arrived when its connection was over for the parent.
  unit_hosted,
  unit_hosted_through,  // By a domain that passed it on.
  gang_hosted,
  part_kept,
  part_kept_below,
  unit_refused,
  refused_after_commit,
  let_go,
  commit_repeated,
  report_repeated,
  allowance_renewed,
  stopped_by_home,
  stopped_by_host,
  ended_while_cut,
  member_refused,  // After it had joined.
  launch_too_late,
  message_too_late,  // A commit or a renewal, for what it grants.
  given_up,          // As its member must have stopped it.
  given_up_below,    // By a domain that hosted it, which told its home.
  given_up_unrun,    // It had never started.
  told_late,
  taken_back,         // Before the member had answered.
  lapsed,             // It was not renewed in time.
  preempted_by_home,  // Spot work: for work that waits there,
  preempted_by_host,  // or here.
};

/// Rare ways through the rules that a run should have taken.
enum class Branch : std::uint8_t {
  gang_launched,
  gang_died_together,
  gang_spread,          // Over several pools;
  gang_spread_members,  // over several members.
  gang_returned_whole,
  parts_died_together,
  array_launched,
  service_launched,
  share_of_used_card,
  second_alternative,
  waited_for_not_before,
  waited_in_queue,
  stopped_while_waiting,
  stopped_while_confirming,
  stopped_while_staging,
  stopped_while_running,
  stopped_while_stopping,
  stop_reached_machine_first,
  launch_after_stop,
  launch_repeated,
  killed_after_grace,
  hold_renewed,
  heartbeat_shared,  // One for several units.
  renewal_unpaid,
  heartbeat_sent,
  retried_elsewhere,
  cheaper_than_held,
  loss_posted,
  answer_repeated,
  several_in_a_batch,
  plan_kept,
  evicted,
  payload_destroyed,
  capacity_below_leases,
  deadline_missed,
  budget_spent_by_others,
  granted_beside_neighbour,
  turn_of_another_project,
  promise_kept,
  granted_on_kept_node,
  link_measured,
  link_forgotten,
  placed_by_measured_link,
  placed_by_estimated_link,
  site_drained,
  site_resumed,
  hour_turned,
  charged_by_the_hour,
  put_off_for_cost,
  put_off_for_carbon,
  started_at_better_hour,
  place_cleared,   // By spot work,
  spot_preempted,  // which is tried again.
};

/// How often each fault was done and each branch taken. Plain numbers, so that runs add up.
struct Coverage {
  static constexpr std::size_t width = 64;
  enum Kind : std::uint8_t { fault, branch, between, event, refusal, end, setback, outcome, kinds };

  std::array<std::array<std::uint64_t, width>, kinds> counts{};

  void hit(Fault point) { ++counts[fault][static_cast<std::size_t>(point)]; }
  void hit(Branch point) { ++counts[branch][static_cast<std::size_t>(point)]; }
  void hit(Between point) { ++counts[between][static_cast<std::size_t>(point)]; }
  void hit(const domain::Event&);
  void hit(domain::Code code) { ++counts[refusal][static_cast<std::size_t>(code)]; }
  void add(const Coverage& other);
};

/// One row of the coverage table.
struct CoverageLine {
  std::string_view kind;
  std::string_view name;
  std::uint64_t count = 0;
};

/// Every point there is, in a fixed order, with its count; points that a domain alone cannot reach
/// (refusals of the HTTP room) are left out, and those of several domains where there is one.
std::vector<CoverageLine> coverage_lines(const Coverage&, bool of_a_network);

}  // namespace suan::sim
