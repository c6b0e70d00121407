// Requests and messages that must be refused.
#include <algorithm>
#include <limits>

#include "sim/world.h"

namespace suan::sim {

using domain::Code;

namespace {

bool is_being_placed(const jobs::Job& job) {
  return std::ranges::any_of(job.units, [](const jobs::Unit& unit) {
    return unit.phase == jobs::Phase::reserving || unit.phase == jobs::Phase::confirming;
  });
}

}  // namespace

void World::stray_message() {
  const auto& all = audit_.shadow().jobs().all();
  if (all.empty()) return;
  auto at = all.from(JobId{1 + random_.below(audit_.shadow().essence().last.job)});
  if (random_.chance(1, 2)) {  // To one for which such a message is on its way.
    while (at != all.end() && !is_being_placed(at->second)) ++at;
  }
  if (at == all.end()) return;
  const jobs::Job& job = at->second;
  const auto number = static_cast<std::uint32_t>(random_.below(job.units.size()));
  const jobs::Unit& unit = job.units[number];
  // Attempts only grow: one before this is over for ever, one far ahead will never come.
  const bool is_past = unit.attempt > 1 && random_.chance(2, 3);
  const std::uint32_t attempt = is_past ? unit.attempt - 1 : unit.attempt + 100'000;
  const jobs::UnitKey key{job.id, number};
  switch (random_.below(3U)) {
    case 0:
      return put(domain::Reserve{key, attempt}, true);
    case 1:
      return put(domain::Confirm{key, attempt}, true);
    default:
      break;
  }
  Progress progress;
  progress.key = {job.id, number * job.spec->nodes, attempt};
  progress.state = random_.chance(1, 3) ? AttemptState::running : AttemptState::ended;
  if (progress.state == AttemptState::ended) progress.end = AttemptEnd::exited;
  progress.usage.wall = seconds(100);
  put(domain::Report{progress}, true);
}

namespace {

enum class OddJob : std::uint8_t { no_way_to_run, negative_grace, beyond_price, endless };

// A submission that no reader of specifications would let through.
domain::SubmitJob odd_submission(OddJob odd, JobSpec spec) {
  switch (odd) {
    case OddJob::no_way_to_run:
      spec.alternatives.clear();
      break;
    case OddJob::negative_grace:
      spec.grace = Span{-1};
      break;
    case OddJob::beyond_price:  // So much for so long that no number holds its price.
      spec.nodes = 1;
      spec.elements = 40;
      spec.budget = {};
      spec.max_duration = hours(100LL * 365 * 24);
      break;
    case OddJob::endless:
      spec.max_duration = Span{std::numeric_limits<std::int64_t>::max()};
      break;
  }
  return {std::move(spec), 1, {}};
}

}  // namespace

void World::send_something_odd() {
  const Person& consumer = people_[1 + random_.below(4U)];
  const ProjectId project = some_project();
  const auto refused = [this](const Person& by, domain::Command command, Code code, Span age = {}) {
    if (const auto index = ask(by, std::move(command), age)) asks_[*index].must_be = code;
  };
  const auto spec = [&] { return make_spec(random_, project, client_now()); };
  const Person& root = people_.front();
  switch (random_.below(18U)) {
    case 0:
      coverage_.hit(Fault::forbidden_command);
      return refused(consumer, domain::CreateOrganisation{"mine"}, Code::forbidden);
    case 1:
      coverage_.hit(Fault::forbidden_command);
      return refused(consumer, domain::Deposit{"project0", yuan(1), ""}, Code::forbidden);
    case 2:
      coverage_.hit(Fault::forbidden_command);
      return refused(consumer,
                     domain::CreateKey{"mallory", "", identity::Role::operator_, {}, "", body()},
                     Code::forbidden);
    case 3:
      coverage_.hit(Fault::request_too_old);
      return refused(root, domain::CreateOrganisation{"old"}, Code::request_too_old, hours(24 * 8));
    case 4:
      coverage_.hit(Fault::request_from_the_future);
      if (clock_.offset() > Span{}) return;
      return refused(root, domain::CreateOrganisation{"new"}, Code::request_in_future,
                     Span{} - hours(24 * 5));
    case 5:
      return refused(root, domain::CreateOrganisation{"Not A Name"}, Code::name_invalid);
    case 6:
      return refused(root, domain::CreateProject{"operators", "nobody"},
                     Code::organisation_unknown);
    case 7:
      return refused(root, domain::CreateOrganisation{"operators"}, Code::name_taken);
    case 8:
      return refused(root, domain::Deposit{"project0", Money{}, ""}, Code::amount_not_positive);
    case 9:
      ask(root, domain::Deposit{"project1", yuan(1'000'000'000), "much"});
      return;
    case 10:
      return refused(root, domain::RevokeKey{KeyId{1'000'000}}, Code::key_unknown);
    case 11:
      return refused(root,
                     domain::CreateKey{"root", "", identity::Role::operator_, {}, "", root.secret},
                     Code::key_exists);
    case 12:
      return refused(root, domain::StopJob{JobId{1U << 30U}}, Code::job_unknown);
    case 13:
    case 14: {
      const auto odd = random_.chance(1, 2) ? OddJob::no_way_to_run : OddJob::negative_grace;
      return refused(root, odd_submission(odd, spec()), Code::spec_invalid);
    }
    case 15:
    case 16:
      ask(root,
          odd_submission(random_.chance(1, 2) ? OddJob::beyond_price : OddJob::endless, spec()));
      return;
    default:
      return put(domain::FoundDomain{"again", "again", "again", body()}, false);
  }
}

}  // namespace suan::sim
