#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "network/cities.h"
#include "placement/why.h"
#include "testing/conversation_words.h"
#include "testing/domain_scene.h"
#include "testing/domain_text.h"

namespace suan::domain {

/// Talks with a domain in text: a command a line in; events, effects and what changed out. See
/// tests/conversations/README.md for the words. Test code only.
class Conversation {
 public:
  /// What follows from one line.
  std::string say(std::string_view line) {
    out_.clear();
    Words words(line);
    const std::string verb = words.take();
    if (verb == "at") {
      pass_to(scene_.now + words.read("at", parse_span(words.take().substr(1))));
    } else if (verb == "settle") {
      settle();
    } else if (verb == "furnish") {
      furnish(words);
    } else if (!say_as_person(verb, words)) {
      say_as_process(verb, words);
    }
    tell_changes();
    return std::move(out_);
  }

  const State& state() const { return scene_.state; }

 private:
  bool say_as_person(const std::string& verb, Words& words) {
    if (verb == "organisation") {
      ask(words, CreateOrganisation{words.take()});
    } else if (verb == "project") {
      ask(words, CreateProject{words.take(), words.option("org")});
    } else if (verb == "deposit") {
      const std::string project = words.take();
      ask(words, Deposit{project, words.read("the amount", parse_money(words.take())), ""});
    } else if (verb == "key") {
      ask(words, read_key(words));
    } else if (verb == "revoke") {
      ask(words, RevokeKey{KeyId{parse_target(words, words.take()).job.value}});
    } else if (verb == "run") {
      ask(words, read_job(words));
    } else if (verb == "stop") {
      ask(words, StopJob{parse_target(words, words.take()).job});
    } else {
      return false;
    }
    return true;
  }

  // A domain as most conversations want it, with only its facts told.
  void furnish(Words& words) {
    scene_.found();
    scene_.ask(CreateProject{"lab", ""});
    scene_.ask(Deposit{"lab", words.read("the amount", parse_money(words.take())), ""});
    scene_.ask(CreateKey{.user = "ann",
                         .organisation = "",
                         .role = identity::Role::consumer,
                         .projects = {"lab"},
                         .label = "",
                         .secret_hash = digest_of("ann")});
    scene_.run(read_member(words));
    requests_kept_ = scene_.state.requests();
  }

  void say_as_process(const std::string& verb, Words& words) {
    if (verb == "found") {
      run(FoundDomain{"test", "acme", "root", digest_of("root")}, Scene::process());
    } else if (verb == "member") {
      run(read_member(words), Scene::process());
    } else if (verb == "reserve") {
      const auto [key, attempt] = read_unit(words);
      run(Reserve{key, attempt}, Scene::process());
    } else if (verb == "confirm") {
      const auto [key, attempt] = read_unit(words);
      run(Confirm{key, attempt}, Scene::process());
    } else if (verb == "report") {
      run(read_report(words), Scene::process());
    } else if (verb == "destroyed") {
      run(NotePayloadsDestroyed{PayloadId{parse_target(words, words.take()).job.value}},
          Scene::process());
    } else if (verb == "place") {
      run(PlaceWaiting{}, Scene::process());
    } else if (verb == "tick") {
      run(Tick{}, Scene::process());
    } else if (verb == "link") {
      observe_link(words);
    } else if (verb == "why") {
      tell_why(parse_target(words, words.take()).job);
    } else {
      ADD_FAILURE() << "nobody understands: " << words.line();
    }
  }

  // Somebody has measured a round trip between two sites.
  void observe_link(Words& words) {
    const catalogue::Catalogue& catalogue = scene_.state.catalogue();
    const Site* from = catalogue.find_site(words.take());
    const Site* to = catalogue.find_site(words.take());
    ASSERT_TRUE(from != nullptr && to != nullptr) << words.line();
    const Span p99 = words.span("p99");
    scene_.state.observe_link(from->id, to->id, {.p50 = p99 / 2, .p99 = p99, .at = scene_.now});
  }

  void tell_why(JobId id) {
    const State& state = scene_.state;
    const jobs::Job* job = state.jobs().find(id);
    ASSERT_NE(job, nullptr);
    const ExactNodes nodes(state);
    const placement::Why why = placement::explain(state.supply(), *job->spec, &nodes);
    for (const placement::Rejection& each : why.rejected) tell("  " + each.text);
    for (const placement::Change& each : why.changes) {
      const Pool& pool = state.catalogue().pools().at(each.pool);
      tell("  starts " + each.text + " at " + state.catalogue().pool_name(pool));
    }
  }

  CreateKey read_key(Words& words) {
    CreateKey command;
    command.user = words.take();
    command.organisation = words.option("org");
    command.role =
        words.read("role", wire::parse_enum<identity::Role>(words.option("role", "consumer")));
    if (words.has("in")) command.projects.push_back(words.option("in"));
    command.secret_hash = digest_of(words.option("secret", command.user));
    return command;
  }

  SubmitJob read_job(Words& words) {
    SubmitJob command;
    JobSpec& spec = command.spec;
    const identity::Project* project =
        scene_.state.identity().find_project(words.option("project", "lab"));
    spec.project = project != nullptr ? project->id : ProjectId{99};
    const std::int64_t share = words.number("share_milli");
    const std::int64_t cards = share > 0 ? share : words.number("cards", 1) * 1000;
    command.payloads = words.count("payloads");
    spec.alternatives.push_back({cards > 0 ? "H100" : "", cards, {}});
    spec.payload.value = command.payloads > 0 ? 1 : 0;
    spec.alternatives[0].payload.value = command.payloads > 1 ? 2 : 0;
    spec.kind = words.has("replicas") ? JobKind::service : JobKind::batch;
    spec.nodes = words.count("nodes", 1);
    const std::uint32_t spread = words.count("spread");
    if (spread > 0) spec.spread = Spread::network;
    spec.elements = words.count("array", words.count("replicas", std::max(spread, 1U)));
    spec.cpu_milli.least = words.number("cpus") * 1000;
    spec.where = read_where(words);
    spec.hourly_max = words.money("hourly");
    spec.budget = words.money("budget");
    spec.max_duration = words.span("max");
    spec.not_before = words.moment("after", scene_start);
    spec.deadline = words.moment("deadline", scene_start);
    spec.window = words.read("window", wire::parse_enum<Window>(words.option("window", "none")));
    if (spec.window == Window::greenest) spec.objective = Objective::carbon;
    spec.is_spot = words.flag("spot");
    spec.priority =
        words.read("priority", wire::parse_enum<Priority>(words.option("priority", "normal")));
    spec.partition.lost_after = words.span("lost_after");
    spec.partition.replace = words.flag("replace");
    const std::string retry = words.option("retry");
    spec.retry.on_site_lost = retry == "lost";
    spec.retry.on_interruption = retry == "interruption";
    command.plan = read_plan(words.option("plan"), words);
    return command;
  }

  static Where read_where(Words& words) {
    Where where;
    where.near.name = words.option("near");
    if (const network::City* city = network::find_city(where.near.name)) {
      where.near.latitude_micro = city->latitude_micro;
      where.near.longitude_micro = city->longitude_micro;
    }
    where.max_rtt = words.span("rtt");
    where.circle = words.read("circle", wire::parse_enum<Circle>(words.option("circle", "none")));
    return where;
  }

  // "here/gpu@10": there, at that price for an hour; "wait".
  PlanBinding read_plan(const std::string& text, const Words& words) const {
    PlanBinding plan;
    plan.is_bound = !text.empty();
    if (text.empty() || text == "wait") return plan;
    const std::size_t at = text.find('@');
    for (const auto& [id, pool] : scene_.state.catalogue().pools()) {
      if (scene_.state.catalogue().pool_name(pool) == text.substr(0, at)) plan.pool = id;
    }
    plan.hourly = words.read("the plan", parse_money(text.substr(at + 1)));
    return plan;
  }

  // "gpu=2x4@10": a pool of 2 nodes with 4 cards at 10 CNY/h each; without cards a core costs that.
  static StartMember read_member(Words& words) {
    StartMember command;
    command.name = words.take();
    if (command.name.empty()) command.name = "engine";
    command.site.name = words.option("site", "here");
    command.site.region = "cn-sh";
    if (const network::City* city = network::find_city(words.option("in"))) {
      command.site.city = city->name;
      command.site.latitude_micro = city->latitude_micro;
      command.site.longitude_micro = city->longitude_micro;
    }
    const Hourly rates = read_hours(words, "rates");
    const std::uint32_t spot_milli = words.count("spot");
    command.site.carbon_hours = read_hours(words, "carbon");
    if (command.site.carbon_hours.is_given()) command.site.pue_milli = 1000;
    for (const auto& [name, size] : words.take_options()) {
      const std::size_t times = size.find('x');
      const std::size_t at = size.find('@');
      const auto number = [&](std::size_t from, std::size_t to) {
        return static_cast<std::uint32_t>(
            words.read(name, parse_integer(size.substr(from, to - from))));
      };
      command.pools.push_back(make_pool(name, number(0, times), number(times + 1, at),
                                        words.read(name, parse_money(size.substr(at + 1)))));
      command.pools.back().rates = rates;
      command.pools.back().spot_milli = spot_milli;
    }
    return command;
  }

  // "500until8,1000until24": for each hour of the day, from midnight UTC on.
  static Hourly read_hours(Words& words, const std::string& name) {
    Hourly hourly;
    std::string text = words.option(name);
    while (!text.empty()) {
      const std::size_t until = text.find("until");
      const std::size_t end = std::min(text.find(','), text.size());
      const auto value = words.read(name, parse_integer(text.substr(0, until)));
      const auto hour = words.read(name, parse_integer(text.substr(until + 5, end - until - 5)));
      hourly.values.resize(static_cast<std::size_t>(hour), static_cast<std::uint32_t>(value));
      text.erase(0, end + 1);
    }
    if (hourly.is_given()) hourly.from = scene_start - hours(8);
    return hourly;
  }

  std::pair<jobs::UnitKey, std::uint32_t> read_unit(Words& words) const {
    const Target target = parse_target(words, words.take());
    const jobs::UnitKey key{target.job, target.number};
    return {key, words.count("attempt", attempt_of(key))};
  }

  Report read_report(Words& words) const {
    const Target target = parse_target(words, words.take());
    const jobs::Job* job = scene_.state.jobs().find(target.job);
    Progress progress;
    progress.key = {target.job, target.number, 0};
    const std::uint32_t unit = job ? jobs::place_of(*job->spec, target.number).unit : 0;
    progress.key.attempt = words.count("attempt", attempt_of({target.job, unit}));
    const std::string state = words.take();
    const auto end = wire::parse_enum<AttemptEnd>(state);
    progress.state =
        end ? AttemptState::ended : words.read("the state", wire::parse_enum<AttemptState>(state));
    progress.end = end.value_or(AttemptEnd::none);
    progress.exit_code = static_cast<std::int32_t>(words.number("code"));
    progress.usage.wall = words.span("wall");
    return {progress};
  }

  std::uint32_t attempt_of(const jobs::UnitKey& key) const {
    const jobs::Job* job = scene_.state.jobs().find(key.job);
    return job == nullptr || key.unit >= job->units.size() ? 1 : job->units[key.unit].attempt;
  }

  // A request of `by`, under the id that `as` names; the same name is the same id.
  void ask(Words& words, const Command& command) {
    Caller caller = scene_.caller(scene_.user(words.option("by", "root")));
    caller.body = digest_of(words.line());
    if (const std::string name = words.option("as"); !name.empty())
      caller.request = requests_.try_emplace(name, caller.request).first->second;
    const Answer* known = scene_.state.find_answer({caller.request, caller.principal.user});
    if (known != nullptr) {
      const std::string said = known->id + " of record " + std::to_string(known->sequence);
      return tell(known->body == caller.body ? "answered before: " + said
                                             : "refused request_body_differs: " + said);
    }
    if (const auto checked = check_request(scene_.state, caller, scene_.now); !checked)
      return tell_refusal(checked.error());
    run(command, caller);
  }

  bool run(const Command& command, const Caller& caller, bool tells_refusal = true) {
    scene_.effects.clear();
    const Decision decision = scene_.run(command, caller);
    if (!decision) {
      if (tells_refusal) tell_refusal(decision.error());
      return false;
    }
    if (!is_noise(*decision)) tell_record(*decision);
    for (const Effect& effect : scene_.effects) {
      tell("  -> " + std::visit(EffectText{text_}, effect));
      if (const auto* reserve = std::get_if<AskReserve>(&effect))
        asked_.emplace_back(Reserve{reserve->unit, reserve->attempt});
      if (const auto* confirm = std::get_if<AskConfirm>(&effect))
        asked_.emplace_back(Confirm{confirm->unit, confirm->attempt});
    }
    return true;
  }

  // What comes every hour: its turn, and the forgetting when there was nothing to forget.
  bool is_noise(const Events& events) {
    const std::size_t before = std::exchange(requests_kept_, scene_.state.requests());
    return (std::holds_alternative<RequestsForgotten>(events.front()) &&
            before == requests_kept_) ||
           std::holds_alternative<catalogue::HourTurned>(events.front());
  }

  // What falls due on the way happens when it is due.
  void pass_to(Moment target) {
    for (;;) {
      const auto timer = scene_.state.first_timer();
      if (!timer || timer->at > target) break;
      scene_.now = std::max(scene_.now, timer->at);
      if (!run(Tick{}, Scene::process())) break;
    }
    scene_.now = target;
  }

  // The member in this process answers what it was asked, and whatever waits is placed.
  void settle() {
    for (;;) {
      while (!asked_.empty()) {
        const Command command = std::move(asked_.front());
        asked_.pop_front();
        run(command, Scene::process(), false);  // Stale where a line answered it already.
      }
      if (!run(PlaceWaiting{}, Scene::process(), false)) return;
    }
  }

  void tell(const std::string& line) { out_ += line + "\n"; }

  void tell_refusal(const Refusal& refusal) {
    const std::string remedy =
        refusal.suggestion.empty() ? "" : "; did you mean " + refusal.suggestion + "?";
    tell("refused " + std::string(wire::enum_name(refusal.code)) + ": " + refusal.detail + remedy);
  }

  void tell_record(const Events& events) {
    tell(std::to_string(scene_.state.essence().sequence) + " at " + text_.since_zero(scene_.now));
    for (const Event& event : events) {
      const auto* accepted = std::get_if<RequestAccepted>(&event);
      tell("  " + (accepted ? "request_accepted id=" + accepted->id : print_event(text_, event)));
    }
  }

  // What is worth knowing of the state, each under its name.
  std::map<std::string, std::string> facts() const {
    const State& state = scene_.state;
    std::map<std::string, std::string> facts;
    for (const auto& [id, project] : state.identity().projects()) {
      facts[project.name] = print_money(state.ledger().balance(ledger::project_account(id))) +
                            " free, " +
                            print_money(state.ledger().balance(ledger::held_account(id))) +
                            " held, " + print_money(state.ledger().charged(id)) + " charged";
    }
    for (const auto& [id, pool] : state.catalogue().pools()) {
      const market::PoolFree free = state.market().nodes().free_in(pool);
      const bool has_cards = pool.cards_per_node > 0;
      facts[state.catalogue().pool_name(pool)] =
          (has_cards ? std::to_string(free.card_milli) + " card_milli"
                     : std::to_string(free.cpu_milli) + " cpu_milli") +
          " free" + (pool.state == ServingState::closed ? ", closed" : "");
    }
    for (const auto& [id, job] : state.jobs().all())
      facts["job-" + std::to_string(id.value)] = print_job(job);
    return facts;
  }

  static std::string print_job(const jobs::Job& job) {
    std::string out;
    for (const jobs::Unit& unit : job.units) {
      out += (out.empty() ? "" : " ") + std::string(wire::enum_name(unit.phase));
      if (unit.phase == jobs::Phase::waiting && !unit.is_queued) out += "(paused)";
      if (unit.attempt > 0) out += "#" + std::to_string(unit.attempt);
      if (unit.tasks.size() == 1) continue;
      std::string tasks;
      for (const jobs::Task& task : unit.tasks)
        tasks += (tasks.empty() ? "" : " ") + std::string(wire::enum_name(task.phase));
      out += "(" + tasks + ")";
    }
    if (job.is_stopping) out += ", to stop";
    if (job.cost != Money{}) out += ", cost " + print_money(job.cost);
    if (job.outcome == jobs::Outcome::none) return out;
    return std::string(wire::enum_name(job.outcome)) + ", exit code " +
           std::to_string(job.exit_code) + ", cost " + print_money(job.cost) +
           (job.reason.empty() ? "" : ": " + job.reason);
  }

  void tell_changes() {
    auto now = facts();
    for (const auto& [name, fact] : now) {
      if (const auto before = facts_.find(name); before == facts_.end() || before->second != fact)
        tell("= " + name + ": " + fact);
    }
    for (const auto& [name, fact] : facts_) {
      if (!now.contains(name)) tell("= " + name + ": gone");
    }
    facts_ = std::move(now);
  }

  Scene scene_;
  RecordText text_ = RecordText(scene_start).brief();
  std::map<std::string, RequestId> requests_;
  std::size_t requests_kept_ = 0;
  std::deque<Command> asked_;  // By effects, and not answered by `settle` yet.
  std::map<std::string, std::string> facts_;
  std::string out_;
};

}  // namespace suan::domain
