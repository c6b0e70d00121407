#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"
#include "journal/memory_journal.h"
#include "runtime/core.h"
#include "sim/measuring.h"
#include "sim/replay.h"
#include "sim/tally.h"

namespace suan::sim {

namespace {

constexpr Moment beginning{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z.
constexpr std::size_t watched_every = 256;
constexpr Money deposit = yuan(900'000'000);
constexpr std::array limits{hours(1),      hours(4),      hours(12),      hours(24),
                            hours(3 * 24), hours(7 * 24), hours(30 * 24), hours(366 * 24)};

std::string chip_name(const NodeList& nodes, std::uint32_t chip) {
  return nodes.chips[chip].empty() ? "unnamed" : nodes.chips[chip];
}

// A cluster whose engine does what it is told at once, and whose jobs last as long as they did.
class Centre final : public runtime::Outlet, public runtime::Clock {
 public:
  Centre(const NodeList& nodes, const Workload& workload)
      : nodes_(nodes), workload_(workload), tally_(nodes, workload) {}

  Result<Replay> run(ProgressBar* progress) {
    SUAN_CHECK(found());
    for (std::size_t turn = 0;; ++turn) {
      const Moment next = std::max(next_event(), now_);
      if (next >= beginning + workload_.lasts) return tally_.finish();
      now_ = next;
      SUAN_CHECK(step());
      if (turn % watched_every == 0 && progress != nullptr)
        progress->show(static_cast<double>((now_ - beginning).us) /
                       static_cast<double>(workload_.lasts.us));
    }
  }

  Moment now() override { return now_; }
  Moment steady() override { return now_; }

  void on_durable(std::shared_ptr<const runtime::DurableBatch>) override {}
  void on_effect(const domain::Effect& effect) override {
    const auto* launch = std::get_if<domain::AskLaunch>(&effect);
    if (launch == nullptr) return;
    const AttemptKey& key = launch->launch.key;
    const jobs::Job& job = *core_.state().jobs().find(key.job);
    const auto number = static_cast<std::size_t>(*parse_integer(job.spec->name));
    const PoolId pool = job.units.front().placement.pool;  // Pools were made kind by kind.
    tally_.starts(number, now_ - beginning, static_cast<std::uint32_t>(pool.value - 1));
    running_.push({now_ + workload_.arrivals[number].lasts, number, key});
    started_.push_back(key);
  }

 private:
  struct Running {
    Moment ends;
    std::size_t job = 0;
    AttemptKey key;
    bool operator<(const Running& other) const {
      return std::pair(ends, job) > std::pair(other.ends, other.job);
    }
  };

  Moment next_event() const {
    if (!started_.empty()) return now_;
    Moment next{INT64_MAX};
    if (come_ < workload_.arrivals.size()) next = beginning + workload_.arrivals[come_].at;
    if (!running_.empty()) next = std::min(next, running_.top().ends);
    return std::min(next, core_.next_step().value_or(next));
  }

  // Everything that happens at this moment.
  Result<void> step() {
    std::vector<runtime::Request> requests;
    for (const AttemptKey& key : std::exchange(started_, {})) {
      Progress progress;
      progress.key = key;
      progress.state = AttemptState::running;
      requests.push_back(request(domain::Report{std::move(progress)}));
    }
    for (; !running_.empty() && running_.top().ends <= now_; running_.pop()) {
      const Running& over = running_.top();
      tally_.ends(over.job, now_ - beginning);
      Progress progress;
      progress.key = over.key;
      progress.state = AttemptState::ended;
      progress.end = AttemptEnd::exited;
      progress.usage.wall = workload_.arrivals[over.job].lasts;
      requests.push_back(request(domain::Report{std::move(progress)}));
    }
    for (; come_ < workload_.arrivals.size(); ++come_) {
      if (beginning + workload_.arrivals[come_].at > now_) break;
      if (tally_.comes(come_))
        requests.push_back(request(domain::SubmitJob{spec_of(come_), 0, {}}));
    }
    return carry_out(std::move(requests));
  }

  runtime::Request request(domain::Command command) {
    runtime::Request request;
    request.command = std::move(command);
    request.caller.principal = {UserId{1}, identity::Role::operator_};
    request.reply = [this](const runtime::Reply& reply) {
      if (!reply && !refusal_) refusal_ = reply.error().detail;
    };
    return request;
  }

  Result<void> carry_out(domain::Command command) {
    std::vector<runtime::Request> requests;
    requests.push_back(request(std::move(command)));
    return carry_out(std::move(requests));
  }

  Result<void> carry_out(std::vector<runtime::Request> requests) {
    do {
      SUAN_CHECK(core_.step(requests));  // Of many it takes some.
    } while (!requests.empty());
    if (refusal_) return failure(Failure::Kind::invalid, "the domain refuses: " + *refusal_);
    return {};
  }

  // A pool for each kind of node. Prices are a thousandth of what the list says, so that no account
  // is too small for what is set aside for all jobs; the books are kept by the list.
  Result<void> found() {
    SUAN_CHECK(carry_out(domain::FoundDomain{"replay", "replay", "operator", {}}));
    SUAN_CHECK(carry_out(domain::CreateProject{"replay", ""}));
    SUAN_CHECK(carry_out(domain::Deposit{"replay", deposit, ""}));
    domain::StartMember start;
    start.name = start.site.name = "cluster";
    for (std::size_t i = 0; i < nodes_.kinds.size(); ++i) {
      const packing::NodeKind& kind = nodes_.kinds[i];
      Pool pool;
      pool.name = "kind-" + std::to_string(i + 1);
      if (kind.cards > 0) pool.chip = chip_name(nodes_, kind.chip);
      pool.nodes = static_cast<std::uint32_t>(std::ranges::count(
          nodes_.rooms, static_cast<std::uint32_t>(i), &packing::NodeRoom::kind));
      pool.cards_per_node = kind.cards;
      pool.price.card_hour = Money{(nodes_.terms[i].hourly.micro + 500) / 1000};
      pool.cpu_milli_per_node = kind.cpu_milli;
      pool.memory_bytes_per_node = kind.memory_bytes;
      start.pools.push_back(std::move(pool));
    }
    return carry_out(std::move(start));
  }

  JobSpec spec_of(std::size_t number) const {
    const Arrival& arrival = workload_.arrivals[number];
    JobSpec spec;
    spec.name = std::to_string(number);
    spec.project = ProjectId{1};
    spec.cpu_milli.least = std::max<std::int64_t>(arrival.ask.cpu_milli, 1);
    spec.memory_bytes.least = std::max<std::int64_t>(arrival.ask.memory_bytes, 1);
    const auto longer =
        std::ranges::find_if(limits, [&](Span limit) { return limit >= arrival.lasts; });
    spec.max_duration = longer == limits.end() ? arrival.lasts : *longer;
    if (!arrival.ask.has_cards()) spec.alternatives.push_back({"", 0, {}});
    for (std::uint32_t chip = 0; arrival.ask.has_cards() && chip < nodes_.chips.size(); ++chip) {
      const bool will_do = (arrival.ask.chips >> chip & 1U) != 0;
      const bool is_there = std::ranges::any_of(nodes_.kinds, [&](const packing::NodeKind& kind) {
        return kind.chip == chip && packing::fits(packing::all_free(0, kind), kind, arrival.ask);
      });
      if (will_do && is_there)
        spec.alternatives.push_back({chip_name(nodes_, chip), arrival.ask.cards_milli(), {}});
    }
    return spec;
  }

  const NodeList& nodes_;
  const Workload& workload_;
  Tally tally_;
  Moment now_ = beginning;
  journal::MemoryDisk disk_;
  journal::MemoryJournal journal_{disk_};
  std::uint64_t epoch_ = journal_.claim_leadership().value_or(0);
  runtime::Core core_{domain::State{}, journal_, epoch_, *this, *this, runtime::CoreOptions{}};
  std::size_t come_ = 0;
  std::priority_queue<Running> running_;
  std::vector<AttemptKey> started_;  // Not said to run yet.
  std::optional<std::string> refusal_;
};

}  // namespace

Result<Replay> replay_in_domain(const NodeList& nodes, const Workload& workload,
                                ProgressBar* progress) {
  return Centre(nodes, workload).run(progress);
}

}  // namespace suan::sim
