#pragma once

#include <cstdint>

/// Deliberate mistakes that the simulator must find: the measure of its auditors. A normal build
/// has none of them; one compiled with SUAN_PLANTED has all, each asleep until it is chosen.
namespace suan {

enum class Bug : std::uint8_t {
  none,
  // Money.
  sum_of_accounts_drifts,
  loss_not_posted,
  charge_rounded_down,
  charged_for_a_repeat,
  charge_beyond_allowance,
  rest_of_allowance_kept,
  hold_not_returned,
  budget_forgets_what_was_spent,
  dear_taken_for_spent,
  renewed_without_money,
  // Capacity.
  cores_overcommitted,
  memory_ignored,
  share_overfilled,
  second_card_granted_again,
  closed_pool_grants,
  downed_node_granted,
  distance_ignored,
  lease_never_released,
  lease_released_at_stop,
  expired_lease_confirmed,
  expiry_outlives_confirmation,
  stale_confirm_accepted,
  only_first_lease_confirmed,
  // Attempts.
  gang_launched_by_half,
  gang_survives_its_member,
  settled_before_all_ended,
  old_attempt_reported_for_new,
  tried_again_after_stop,
  renewed_after_stop,
  waiting_unit_not_stopped,
  engine_runs_the_forgotten,
  // Queue and time.
  not_before_ignored,
  priority_ignored,
  promised_nodes_open,
  promises_not_rebuilt,
  backfill_outlasts_promise,
  fair_share_ignored,
  live_job_evicted,
  wall_clock_not_clamped,
  // People and requests.
  seat_not_asked_to_submit,
  seat_not_asked_to_stop,
  revoked_key_accepted,
  plan_not_checked,
  answer_not_remembered,
  requests_forgotten_early,
  body_not_compared,
  // What a crash shows.
  reply_before_sync,
  effect_before_sync,
  batch_dropped_for_lack_of_space,
  deposed_leader_goes_on,
  snapshot_misses_requests,
  timers_not_rebuilt,
  reservations_not_rebuilt,
  stops_not_sent_again,
  launches_not_sent_again,
  renewals_not_sent_again,
  payload_destroyed_early,
  fork_shares_writes,
  hours_not_weighed,
  prices_of_the_first_hour,
  put_off_past_the_deadline,
  preempted_given_up,
  on_demand_preempted,
  spot_pays_in_full,
  promised_one_sees_only_its_own,
  start_moves_no_lease_end,
  // Between domains.
  guest_price_not_checked,
  old_host_answers_for_new,
  rest_of_guest_kept,
  guest_evicted_before_let_go,
  reports_not_told_again,
  commits_not_told_again,
  stop_not_passed_on,
  guest_usage_halved,
  given_up_too_early,
  late_launch_starts,
  late_usage_not_charged,
  lost_hold_kept,
  launched_unit_taken_back,
  taken_back_with_allowance,
  absence_of_another,
  lost_lease_kept,
  lost_allowance_kept,
  lost_usage_not_awaited,
  lost_job_evicted,
  unapproved_offer_taken,
  part_launched_before_others,
  part_survives_another,
  part_survives_a_lost_one,
  part_not_kept,
  part_kept_too_early,
  rest_of_gang_kept,
  drained_site_resumed,
  heartbeat_of_all_members,
  heartbeat_says_one,
  heartbeat_overdraws,
  heartbeat_renews_too_early,
  heartbeat_paid_in_once,
  renewals_not_rebuilt,
};

#ifdef SUAN_PLANTED
/// The one that is awake in this process. Set before anything runs.
inline Bug planted_bug = Bug::none;
inline bool planted(Bug bug) {
  return planted_bug == bug;
}
#else
constexpr bool planted(Bug) {
  return false;
}
#endif

}  // namespace suan
