#include <algorithm>
#include <array>

#include "domain/terms.h"
#include "placement/rank.h"
#include "sim/world.h"
#include "wire/bytes.h"

namespace suan::sim {

using domain::Code;

namespace {

Digest secret_number(std::uint64_t number) {
  Digest secret;
  secret.bytes[0] = 1;
  for (std::size_t i = 0; i < 8; ++i)
    secret.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return secret;
}

constexpr std::size_t projects = 4;

}  // namespace

Digest World::body() {
  return secret_number((1U << 20U) + ++bodies_);
}

void World::people_arrive() {
  people_.push_back({"root", Digest{{1}}, identity::Role::operator_, true});
  using identity::Role;
  const std::array<Role, 7> roles{Role::consumer, Role::consumer, Role::consumer, Role::consumer,
                                  Role::provider, Role::auditor,  Role::operator_};
  for (std::size_t i = 0; i < roles.size(); ++i)
    people_.push_back({"user" + std::to_string(i), secret_number(++names_), roles[i], false});
  const auto insist = [this](Span delay, domain::Command command) {
    after(delay, [this, command] { this->insist(command); });
  };
  insist(seconds(60), domain::CreateOrganisation{"org0"});
  for (std::size_t i = 0; i < projects; ++i) {
    const std::string name = "project" + std::to_string(i);
    insist(seconds(62), domain::CreateProject{name, i == 0 ? "org0" : ""});
    const bool is_poor = random_.chance(std::min(scenario_.poor, 1000U), 1000);
    insist(seconds(63),
           domain::Deposit{name, is_poor ? Money{random_.between(1, 90'000'000)} : yuan(1'000'000),
                           "first"});
  }
  for (std::size_t i = 1; i < people_.size(); ++i) {
    Person& person = people_[i];
    person.is_known = true;
    std::vector<std::string> seats;
    for (std::size_t p = 0; p < projects; ++p) {
      if (random_.chance(1, 2)) seats.push_back("project" + std::to_string(p));
    }
    insist(seconds(64), domain::CreateKey{person.name, "", person.role, seats, "", person.secret});
  }
}

// Asks until it is done, from when there is somebody who may.
void World::insist(domain::Command command) {
  if (const auto index = ask(people_.front(), command)) {
    asks_[*index].insists = true;
    return;
  }
  after(seconds(7), [this, command] { insist(command); });
}

const World::Person& World::somebody() {
  return people_[random_.below(people_.size())];
}

ProjectId World::some_project() {
  const auto& all = audit_.shadow().identity().projects();
  if (all.empty()) return {};
  return ProjectId{1 + random_.below(all.size() + (random_.chance(1, 40) ? 1U : 0U))};
}

std::optional<std::size_t> World::ask(const Person& person, domain::Command command, Span age) {
  const auto principal = audit_.shadow().identity().authenticate(person.secret);
  if (!principal) return std::nullopt;
  if (audit_.lives().is_key_revoked(person.secret)) object("rights", "a revoked key is accepted");
  if (principal->role != person.role) object("rights", person.name + " has another role");
  Ask made;
  made.command = std::move(command);
  made.caller.principal = *principal;
  made.caller.request =
      make_request_id((client_now() - age).us / 1000, random_.next(), random_.next());
  made.caller.body = body();
  if (const auto* submitted = std::get_if<domain::SubmitJob>(&made.command)) {
    for (std::uint32_t i = 0; i < submitted->payloads; ++i)
      made.payloads.push_back(wire::encode(write_course(make_course(random_, submitted->spec))));
    made.plan = submitted->plan;
  }
  asks_.push_back(std::move(made));
  send(asks_.size() - 1);
  return asks_.size() - 1;
}

// Sends a request, and again until an answer arrives, as every client does.
void World::send(std::size_t index) {
  constexpr std::uint32_t sent_max = 60;
  Ask& own = asks_[index];
  if (++own.sent > sent_max) return;
  after(milliseconds(random_.between(1, 300)), [this, index] { arrive(index); });
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::request_duplicated);
    after(milliseconds(random_.between(1, 20'000)), [this, index] { arrive(index); });
  }
  const Span patience = own.sent < 10 ? seconds(random_.between(3, 20)) : minutes(5);
  after(patience, [this, index] {
    if (!asks_[index].is_settled) send(index);
  });
}

void World::arrive(std::size_t index) {
  if (!core_) return;
  const Ask& own = asks_[index];
  runtime::Request request;
  request.command = own.command;
  request.caller = own.caller;
  request.payloads = own.payloads;
  request.reply = [this, index](const runtime::Reply& reply) { answered(index, reply); };
  inbox_.push_back(std::move(request));
  plan_step(milliseconds(random_.between(0, 15)));
}

void World::answered(std::size_t index, const runtime::Reply& reply) {
  if (is_over()) return;
  check_durable("reply");
  Ask& own = asks_[index];
  check_answer(own, reply);
  if (!reply) coverage_.hit(reply.error().code);
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::reply_lost);
    return;
  }
  if (reply) {
    if (own.answer) coverage_.hit(Branch::answer_repeated);
    own.answer = *reply;
  }
  const bool comes_back = !reply && (own.insists || reply.error().code == Code::journal_full);
  own.is_settled = !comes_back;
}

// The promises about one request, whatever it was.
void World::check_answer(const Ask& own, const runtime::Reply& reply) {
  const domain::RequestKey key{own.caller.request, own.caller.principal.user};
  const Accepted* done = audit_.lives().find_accepted(key);
  const Moment made{own.caller.request.unix_ms() * 1000};
  if (reply) {
    if (done == nullptr) return object("answer", "acknowledged and in no durable record");
    if (done->body != own.caller.body) return object("answer", "another body gets the answer");
    if (done->id != reply->id || done->sequence != reply->sequence)
      return object("answer", "the same request gets another answer: " + reply->id);
    if (own.answer && (own.answer->id != reply->id || own.answer->sequence != reply->sequence))
      return object("answer", "the same request got another answer before");
    // Seats may have been taken since; the life book judges those.
    // What came from the future may have waited for its time.
    const bool has_come =
        own.must_be == Code::request_in_future && made - server_now() <= minutes(11);
    if (own.must_be != Code::none && own.must_be != Code::project_unknown &&
        own.must_be != Code::job_unknown && !has_come)
      return object("refusal", "taken and had to be refused");
    if (!own.plan.is_bound) return;
    coverage_.hit(Branch::plan_kept);
    const bool starts = own.plan.pool != PoolId{};
    const auto& spec = std::get<domain::SubmitJob>(own.command).spec;
    const bool is_kept =
        starts == done->placed.has_value() &&
        (!starts ||
         (done->placed->pool == own.plan.pool &&
          done->placed->alternative == own.plan.alternative &&
          (spec.is_spread() || scale(done->placed_hourly, spec.tasks(), 1) == own.plan.hourly)));
    if (!is_kept) object("plan", "taken on other terms than it was bound to");
    return;
  }
  const Code code = reply.error().code;
  const Span age = server_now() - made;
  const bool is_old = age > hours(24 * 7) - minutes(1);
  if (code == Code::request_too_old && !is_old)
    return object("answer", "a young request is refused as too old");
  if (code == Code::request_body_differs && (done == nullptr || done->body == own.caller.body))
    return object("answer", "refused for another body that never came");
  if (done != nullptr && done->body == own.caller.body && code != Code::request_too_old)
    return object("answer", "done before and now refused: " + reply.error().detail);
  if (done != nullptr && done->body != own.caller.body && code != Code::request_body_differs &&
      code != Code::request_too_old)
    return object("answer", "another body under the same id is not refused as such");
  const bool is_sure = own.must_be == Code::forbidden || own.must_be == Code::request_body_differs;
  if (is_sure && code != own.must_be && code != Code::journal_full &&
      code != Code::request_in_future && code != Code::request_too_old)
    return object("refusal", "refused for another reason: " + reply.error().detail);
}

void World::submit() {
  const Person& person = somebody();
  const ProjectId project = some_project();
  const auto principal = audit_.shadow().identity().authenticate(person.secret);
  if (!project || !principal) return;
  domain::SubmitJob command{make_spec(random_, project, client_now()), 1, {}};
  if (command.spec.alternatives.size() > 1 && random_.chance(1, 2)) {
    command.payloads = 2;
    command.spec.alternatives.back().payload = {2};
  }
  const auto seat = audit_.shadow().identity().has_seat(project, principal->user);
  const bool may =
      person.role == identity::Role::operator_ || (seat && person.role != identity::Role::auditor);
  if (!may && !random_.chance(1, 4)) return;
  if (random_.chance(1, 5)) {
    const auto places =
        domain::places_now(audit_.shadow(), command.spec, audit_.shadow().essence().now);
    command.plan.is_bound = true;
    if (!places.empty()) {
      command.plan.pool = places.front().pool;
      command.plan.alternative = places.front().alternative;
      command.plan.hourly = places.front().hourly_cost;
    }
  }
  const auto index = ask(person, std::move(command));
  if (index && !may) {
    coverage_.hit(Fault::foreign_project);
    asks_[*index].must_be = Code::project_unknown;
  }
}

void World::stop_some_job() {
  const auto& all = audit_.shadow().jobs().all();
  const std::uint64_t last = audit_.shadow().essence().last.job;
  if (last == 0) return;
  JobId id{1 + random_.below(last)};
  if (!all.empty() && random_.chance(4, 5)) {
    const auto from = all.from(id);
    id = from == all.end() ? all.back().first : from->first;
  }
  const Person& person = somebody();
  const auto principal = audit_.shadow().identity().authenticate(person.secret);
  const jobs::Job* job = all.find(id);
  const auto index = ask(person, domain::StopJob{id});
  if (!index || job == nullptr || !principal) return;
  const bool may = person.role == identity::Role::operator_ ||
                   (person.role != identity::Role::auditor &&
                    audit_.shadow().identity().has_seat(job->spec->project, principal->user));
  if (may) return;
  coverage_.hit(Fault::foreign_project);
  asks_[*index].must_be = Code::job_unknown;
}

void World::repeat_something() {
  if (asks_.empty()) return;
  const std::size_t index = random_.below(asks_.size());
  if (!asks_[index].is_settled) return;
  if (random_.chance(1, 2)) {
    coverage_.hit(Fault::request_repeated_later);
    return arrive(index);
  }
  // The same id with another body, a submission if it can be.
  Ask other = asks_[index];
  const domain::RequestKey key{other.caller.request, other.caller.principal.user};
  if (audit_.lives().find_accepted(key) == nullptr) return;
  coverage_.hit(Fault::request_with_other_body);
  other.caller.body = body();
  other.must_be = Code::request_body_differs;
  other.answer.reset();
  other.plan = {};
  other.is_settled = true;
  asks_.push_back(std::move(other));
  arrive(asks_.size() - 1);
}

void World::change_supply() {
  Site& site = *sites_[random_.below(sites_.size())];
  change_offer(site.offer, random_, coverage_, now_);
  put(domain::StartMember{site.offer.member, "changed", site.offer.site, site.offer.pools}, false);
}

void World::manage() {
  const std::string number = std::to_string(++names_);
  const Person& by = random_.chance(9, 10) ? people_.front() : somebody();
  const std::string project = "project" + std::to_string(random_.below(projects));
  switch (random_.below(8U)) {
    case 4: {
      const Site& site = *sites_[random_.below(sites_.size())];
      const std::string slip = names_ % 16 == 0 ? "x" : "";
      ask(by, domain::DrainSite{site.offer.site.name + slip, random_.chance(1, 2)});
      return;
    }
    case 0:
      ask(by, domain::CreateOrganisation{"org" + number});
      return;
    case 1:
      ask(by, domain::CreateProject{"extra" + number, ""});
      return;
    case 2: {
      // A lost key is replaced.
      Person& person = people_[1 + random_.below(people_.size() - 1)];
      if (audit_.shadow().identity().authenticate(person.secret)) return;
      if (audit_.shadow().identity().find_user(person.name) == nullptr) return;
      person.secret = secret_number(++names_);
      ask(people_.front(),
          domain::CreateKey{person.name, "", person.role, {project}, "new", person.secret});
      return;
    }
    case 3: {
      const auto& keys = audit_.shadow().identity().keys();
      if (keys.size() < 2) return;
      ask(by, domain::RevokeKey{KeyId{2 + random_.below(keys.size() - 1)}});
      return;
    }
    default:
      ask(by, domain::Deposit{project, Money{random_.between(1, 60'000'000)}, "more"});
      return;
  }
}

void World::somebody_acts() {
  if (is_calm_) return;
  const auto most = static_cast<std::int64_t>(scenario_.acts_every_s_max) * 1000;
  after(milliseconds(random_.between(1, most)), [this] { somebody_acts(); });
  const std::uint32_t dice = random_.below(1000U);
  std::uint32_t sum = scenario_.submit;
  if (dice < sum) return submit();
  if (dice < (sum += scenario_.stop)) return stop_some_job();
  if (dice < (sum += scenario_.supply)) return change_supply();
  if (dice < (sum += scenario_.odd))
    return random_.chance(1, 3) ? stray_message() : send_something_odd();
  if (dice < (sum += scenario_.repeat)) return repeat_something();
  manage();
}

}  // namespace suan::sim
