#include "runtime/core.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ensure.h"
#include "base/planted.h"
#include "runtime/codec.h"
#include "wire/bytes.h"

namespace suan::runtime {

using domain::Answer;
using domain::Code;
using domain::Command;
using domain::Effect;
using domain::Events;
using domain::Refusal;
using domain::State;

namespace {

constexpr Span promises_every = seconds(1);       // Nodes are looked for to keep no oftener.
constexpr std::size_t inner_commands_max = 1024;  // Of one step, so that requests get their turn.

// What is refused when the disk is nearly full: work that makes more to remember. Finishing,
// stopping and settling go on.
// Whether the payloads beside a command belong to what was decided.
bool brings_payloads(const Command& command, const Events& events) {
  if (std::holds_alternative<domain::SubmitJob>(command)) return true;
  const auto* first = std::get_if<jobs::GuestCommitted>(&events.front());
  return first != nullptr && first->payloads > 0;
}

bool is_new_work(const Command& command) {
  return std::holds_alternative<domain::SubmitJob>(command) ||
         std::holds_alternative<domain::CreateOrganisation>(command) ||
         std::holds_alternative<domain::CreateProject>(command) ||
         std::holds_alternative<domain::CreateKey>(command) ||
         std::holds_alternative<domain::Deposit>(command);
}

domain::Caller process_caller() {
  return {.principal = {UserId{1}, identity::Role::operator_}, .request = {}, .body = {}};
}

// What the seam calls a bug here: a batch that the journal refuses for a reason of its own.
Failure must_end(Failure failure) {
  failure.kind = Failure::Kind::io;
  return failure;
}

}  // namespace

Core::Core(State state, journal::Journal& journal, std::uint64_t leader_epoch, Clock& clock,
           Outlet& outlet, CoreOptions options)
    : state_(std::move(state)),
      journal_(journal),
      leader_epoch_(leader_epoch),
      clock_(clock),
      outlet_(outlet),
      options_(options),
      batch_(std::make_shared<DurableBatch>()) {
  effects_ = domain::outstanding_effects(state_);
  state_.learn_all();
  ensure(journal_.head().sequence == state_.essence().sequence);
  measure_space();
}

Moment Core::moment() {
  if (planted(Bug::wall_clock_not_clamped)) return clock_.now();
  return std::max(clock_.now(), state_.essence().now);
}

void Core::observe(PoolId id, const PoolReading& reading, Span age) {
  constexpr Span age_max = hours(24);
  if (!state_.catalogue().pools().contains(id)) return;
  const Moment at = moment() - std::clamp(age, Span{}, age_max);
  state_.observe(id, reading, at);
  outlet_.on_observed(id, reading, at);
  expect_places();
}

void Core::observe_link(SiteId from, SiteId to, Rtt rtt) {
  const auto& sites = state_.catalogue().sites();
  if (!sites.contains(from) || !sites.contains(to)) return;
  rtt.at = moment();
  state_.observe_link(from, to, rtt);
  outlet_.on_link_observed(from, to, rtt);
  expect_places();
}

void Core::measure_space() {
  const auto free = journal_.free_bytes();
  is_space_low_ = free.has_value() && *free < options_.space_low_bytes;
}

std::optional<Moment> Core::next_step() const {
  if (is_stuck() || !inner_.empty() || !effects_.empty()) return state_.essence().now;
  if (may_place_ && state_.jobs().waiting() > 0) return state_.essence().now;
  const auto timer = state_.first_timer();
  if (!seeks_later_ || state_.jobs().waiting() == 0)
    return timer ? std::optional(timer->at) : std::nullopt;
  const Moment sought = promises_sought_ + promises_every;
  return timer ? std::min(timer->at, sought) : sought;
}

// Applies what was decided and adds it to the open batch.
Reply Core::commit(Events&& events, Moment at, std::vector<std::string>* payloads) {
  const std::uint64_t payload_before = state_.essence().last.payload;
  state_.fold(events, at);
  state_.learn(events);
  const std::size_t effects_before = effects_.size();
  domain::add_effects(state_, events, effects_);
  stamp_effects(effects_before);
  if (options_.answers_within_batch) route_effects(effects_before);
  note_hints(events);
  scratch_.clear();
  append_events(scratch_, events);
  unsynced_.add(at, scratch_.written());
  if (payloads != nullptr) {
    ensure(state_.essence().last.payload == payload_before + payloads->size());
    for (std::size_t i = 0; i < payloads->size(); ++i)
      unsynced_.add_blob(payload_before + 1 + i, std::move((*payloads)[i]));
  }
  batch_->records.push_back({state_.essence().sequence, at, std::move(events)});
  return Answer{.id = {}, .sequence = state_.essence().sequence, .body = {}};
}

void Core::stamp_effects(std::size_t first) {
  if (first == effects_.size()) return;
  const Moment decided = received_ != Moment{} ? received_ : clock_.steady();
  for (std::size_t i = first; i < effects_.size(); ++i) domain::stamp(effects_[i], decided);
}

// All lines are tried again, from the first on.
void Core::expect_places() {
  may_place_ = true;
  lines_tried_ = 0;
}

void Core::note_hints(const Events& events) {
  if (may_place_ && lines_tried_ == 0) return;
  for (const domain::Event& event : events) {
    const bool is_hint = std::holds_alternative<market::LeaseReleased>(event) ||
                         std::holds_alternative<catalogue::PoolOffered>(event) ||
                         std::holds_alternative<catalogue::HourTurned>(event) ||
                         std::holds_alternative<jobs::UnitQueued>(event) ||
                         std::holds_alternative<jobs::UnitPromised>(event) ||
                         std::holds_alternative<jobs::PlaceCleared>(event) ||
                         std::holds_alternative<jobs::UnitReturned>(event) ||
                         std::holds_alternative<jobs::JobSubmitted>(event) ||
                         std::holds_alternative<jobs::UnitEnded>(event) ||
                         std::holds_alternative<jobs::LostAttemptClosed>(event) ||
                         std::holds_alternative<ledger::Deposited>(event) ||
                         std::holds_alternative<ledger::HoldReturned>(event);
    if (is_hint) return expect_places();
  }
}

// The answer to a request that was seen before, or that cannot be taken; else an answer with no id.
Reply Core::answer(const Request& request, Moment now) {
  const auto* host = std::get_if<domain::FromParent<HostUnit>>(&request.command);
  // One that was hosted before is not refused now: its parent would believe it.
  if (is_space_low_ && host != nullptr &&
      state_.jobs().find_guest({host->parent, host->message.unit}) == nullptr)
    return std::unexpected(Refusal{Code::journal_full, "its disk is nearly full", {}, {}});
  if (request.caller.is_process()) return Answer{};
  const domain::RequestKey key{request.caller.request, request.caller.principal.user};
  if (const Answer* known = state_.find_answer(key)) {
    if (known->body == request.caller.body || planted(Bug::body_not_compared)) return *known;
    return std::unexpected(Refusal{
        Code::request_body_differs,
        "this request id was used before with another body: make a new id for a new request",
        {},
        {}});
  }
  if (auto checked = domain::check_request(state_, request.caller, now); !checked)
    return std::unexpected(std::move(checked).error());
  if (is_space_low_ && is_new_work(request.command)) {
    return std::unexpected(
        Refusal{Code::journal_full,
                "the disk of this domain is nearly full: no new work is taken, what "
                "runs is finished; try again when the operator has made room",
                {},
                {}});
  }
  return Answer{};
}

void Core::take(Request& request) {
  if (auto* commit = std::get_if<domain::FromParent<CommitUnit>>(&request.command)) {
    if (request.payloads.size() > 1) request.payloads.resize(1);
    commit->message.payload = PayloadId{request.payloads.size()};  // What came beside it counts.
  }
  const Moment now = moment();
  received_ = request.received;
  Reply reply = answer(request, now);
  ++counts_.decided;
  if (reply && !reply->id.empty()) {
    ++counts_.repeated;
  } else if (reply) {
    if (std::holds_alternative<domain::SubmitJob>(request.command)) state_.refresh();
    auto decision = domain::decide(state_, request.command, request.caller, now, &batch_->memory);
    if (decision && !decision->empty()) {
      const auto* accepted = std::get_if<domain::RequestAccepted>(&decision->front());
      const std::string id = accepted != nullptr ? accepted->id : std::string{};
      const bool has_payloads = brings_payloads(request.command, *decision);
      reply = commit(std::move(*decision), now, has_payloads ? &request.payloads : nullptr);
      reply->id = id;
    } else if (!decision) {
      reply = std::unexpected(std::move(decision).error());
    }
  }
  received_ = {};
  if (!reply) ++counts_.refused;
  if (request.reply) {
    replies_.push_back({std::move(request.reply), std::move(reply), !request.caller.is_process()});
  }
}

void Core::turn_away(std::vector<Request>& requests) {
  ensure(is_stuck());
  const std::uint64_t durable = state_.essence().sequence - unsynced_.size();
  std::erase_if(requests, [&](Request& request) {
    if (request.caller.is_process()) return false;
    const Answer* known =
        state_.find_answer({request.caller.request, request.caller.principal.user});
    const bool is_done =
        known != nullptr && known->sequence <= durable && known->body == request.caller.body;
    ++(is_done ? counts_.repeated : counts_.refused);
    if (!request.reply) return true;
    request.reply(is_done ? Reply(*known)
                          : std::unexpected(Refusal{
                                Code::journal_full,
                                "the disk of this domain is full and nothing can be written now: "
                                "repeat this request under the same id until it is answered",
                                {},
                                {}}));
    return true;
  });
}

void Core::tell_unknown() {
  ensure(is_stuck());
  std::erase_if(replies_, [](Pending& pending) {
    if (!pending.is_of_client) return false;
    pending.reply(std::unexpected(
        Refusal{Code::outcome_unknown,
                "the disk of this domain is full, and whether this request is carried out is not "
                "known yet: repeat it under the same id until it is answered",
                {},
                {}}));
    return true;
  });
}

// One command from time itself: a timer that is due, or a waiting unit that may fit now.
bool Core::take_due(Moment now) {
  const auto timer = state_.first_timer();
  if (timer && timer->at <= now) {
    // Of these some look at what is offered.
    if (timer->due == domain::Due::promise || timer->due == domain::Due::unit) state_.refresh();
    auto decision = domain::decide(state_, domain::Tick{}, process_caller(), now, &batch_->memory);
    ensure(decision.has_value() && !decision->empty());
    commit(std::move(*decision), now, nullptr);
    return true;
  }
  const bool may_seek = now >= promises_sought_ + promises_every || now < promises_sought_;
  if (seeks_later_ && may_seek) expect_places();
  if (!may_place_ || state_.jobs().waiting() == 0) return false;
  state_.refresh();
  const bool may_promise = lines_tried_ == 0 && may_seek;
  if (may_promise) promises_sought_ = now;
  if (lines_tried_ == 0) seeks_later_ = !may_seek;
  auto decision = domain::decide(state_, domain::PlaceWaiting{lines_tried_, may_promise},
                                 process_caller(), now, &batch_->memory);
  if (!decision) {
    lines_tried_ += domain::lines_tried_max;
    may_place_ = lines_tried_ < state_.jobs().heads().size();
    if (!may_place_) lines_tried_ = 0;
    return may_place_;
  }
  commit(std::move(*decision), now, nullptr);
  return true;
}

bool Core::has_room() const {
  return unsynced_.has_room(journal::record_bytes_limit / 2);
}

// What records led to in this process. What finds no room in the batch waits for the next.
void Core::take_inner() {
  for (; !inner_.empty() && has_room(); inner_.pop_front()) {
    const Moment now = moment();
    const Command command =
        std::visit([](const auto& each) { return Command(each); }, inner_.front());
    auto decision = domain::decide(state_, command, process_caller(), now, &batch_->memory);
    ++counts_.decided;
    if (decision && !decision->empty()) commit(std::move(*decision), now, nullptr);
  }
}

void Core::take_time() {
  for (std::size_t taken = 0; taken < inner_commands_max && has_room(); ++taken) {
    if (!take_due(moment())) break;
    ++counts_.decided;
    if (options_.answers_within_batch) take_inner();
  }
}

Result<void> Core::step(std::vector<Request>& requests) {
  if (is_stuck()) {
    SUAN_CHECK(sync());
    if (is_stuck()) return {};
  }
  std::size_t taken = 0;
  for (; taken < requests.size() && taken < options_.batch_commands_max; ++taken) {
    if (!has_room()) break;
    take(requests[taken]);
    if (options_.answers_within_batch) take_inner();
  }
  requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(taken));
  take_inner();
  take_time();
  state_.refresh();  // Whoever looks in between steps.
  if (planted(Bug::reply_before_sync)) {
    for (Pending& pending : replies_) pending.reply(pending.answer);
    replies_.clear();
  }
  if (planted(Bug::effect_before_sync)) release();
  return sync();
}

Result<void> Core::sync() {
  if (!unsynced_.empty()) {
    const std::uint64_t before = state_.essence().sequence - unsynced_.size();
    const auto head = journal_.append(before, leader_epoch_, unsynced_);
    if (!head) {
      const bool goes_on =
          head.error().kind == Failure::Kind::conflict && planted(Bug::deposed_leader_goes_on);
      if (goes_on) {
        unsynced_.clear();
        release();
        return {};
      }
      if (head.error().kind != Failure::Kind::no_space)
        return std::unexpected(must_end(head.error()));
      if (planted(Bug::batch_dropped_for_lack_of_space)) {
        unsynced_.clear();
        release();
      }
      ++counts_.appends_refused;
      is_space_low_ = true;
      return {};
    }
    counts_.records += unsynced_.size();
    ++counts_.batches;
    unsynced_.clear();
    batch_->head = *head;
    outlet_.on_durable(std::exchange(batch_, std::make_shared<DurableBatch>()));
  }
  // Refusals take room for events too, and may come without end while nothing is recorded.
  if (batch_->records.empty()) batch_->memory.release();
  release();
  journal_.tidy();
  return {};
}

// Takes out of the effects from the `first` on what this process answers itself. The answer is in
// a record after the one that asked, so it is never durable without it.
void Core::route_effects(std::size_t first) {
  const auto is_answered_here = [&](const Effect& effect) {
    const auto is_engine = [&](MemberId member) {
      return state_.catalogue().members().at(member).kind == catalogue::MemberKind::engine;
    };
    if (const auto* reserve = std::get_if<domain::AskReserve>(&effect);
        reserve != nullptr && is_engine(reserve->member)) {
      inner_.emplace_back(domain::Reserve{reserve->unit, reserve->attempt});
      return true;
    }
    if (const auto* confirm = std::get_if<domain::AskConfirm>(&effect);
        confirm != nullptr && is_engine(confirm->member)) {
      inner_.emplace_back(domain::Confirm{confirm->unit, confirm->attempt});
      return true;
    }
    return false;
  };
  const auto from = effects_.begin() + static_cast<std::ptrdiff_t>(first);
  effects_.erase(std::remove_if(from, effects_.end(), is_answered_here), effects_.end());
}

// Everything before is durable: let replies and effects leave.
void Core::release() {
  if (!replies_.empty()) {
    outlet_.on_replies([this] {
      for (Pending& pending : replies_) pending.reply(pending.answer);
    });
  }
  replies_.clear();
  route_effects(0);
  for (const Effect& effect : effects_) outlet_.on_effect(effect);
  effects_.clear();
}

Result<State> replay(const journal::Journal& journal) {
  constexpr std::size_t records_at_once = 4096;
  State state;
  SUAN_TRY(const auto snapshot, journal.read_snapshot());
  if (snapshot) {
    auto decoded = decode_state(snapshot->bytes);
    // One of another version is as good as none: the records say the same.
    if (!decoded && decoded.error().kind != Failure::Kind::unsupported)
      return std::unexpected(std::move(decoded).error());
    if (decoded && decoded->essence().sequence != snapshot->sequence)
      return failure(Failure::Kind::invalid, "the snapshot is of another record than it says");
    if (decoded) state = std::move(*decoded);
  }
  while (state.essence().sequence < journal.head().sequence) {
    SUAN_TRY(const auto records, journal.follow(state.essence().sequence + 1, records_at_once));
    if (records.empty()) return failure(Failure::Kind::invalid, "the journal ends before its head");
    for (const journal::Record& record : records) {
      auto events = decode_events(record.bytes);
      if (!events) {
        events.error().place = "record " + std::to_string(record.sequence);
        return std::unexpected(std::move(events).error());
      }
      state.apply(*events, record.moment);
    }
  }
  return state;
}

}  // namespace suan::runtime
