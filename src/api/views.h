#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/members.h"
#include "api/transfer.h"
#include "base/digest.h"
#include "base/money.h"
#include "base/time.h"
#include "model/attempt.h"
#include "model/ids.h"
#include "model/spec.h"
#include "model/supply.h"

/// What the HTTP API answers, record by record; the OpenAPI document is generated from their
/// fields. In JSON, money is a decimal string of CNY, a Span a number of seconds, a Moment RFC 3339
/// in UTC, an id a string such as "job-42", an enumerator its name. Absent and default are the
/// same.
namespace suan::api {

/// The state of a job as people see it (任务状态).
enum class JobState : std::uint8_t {
  queued,
  reserving,
  staging,
  running,
  stopping,
  unreachable,
  lost,
  finished,
  failed,
  cancelled
};

/// The lasting answer to a request that changed something: the same for every repeat of the
/// request.
struct Accepted {
  std::string id;  // Of what was made or changed.
  std::uint64_t sequence =
      0;  // The journal record that holds it; a read may demand it by `?after_sequence=`.
  std::string secret;  // Of a new key; shown to whoever made this request, kept nowhere.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "sequence", self.sequence);
    visit(3, "secret", self.secret);
  }
};

/// A count of candidates that a constraint turned down.
struct Rejection {
  std::string reason;  // A placement::Reason, such as "chip_differs".
  std::string text;    // For people: "chip is RTX4090, not H800-SXM".
  std::uint64_t count = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "reason", self.reason);
    visit(2, "text", self.text);
    visit(3, "count", self.count);
  }
};

/// A smallest single change that would let a job start now.
struct Change {
  std::string field;  // Of run.yaml: "price.max_hourly_cost".
  std::string from;
  std::string to;
  std::string text;  // For people: "with price.max_hourly_cost 172 instead of 160".
  std::string pool;  // Where it would start.

  static void fields(auto&& visit, auto& self) {
    visit(1, "field", self.field);
    visit(2, "from", self.from);
    visit(3, "to", self.to);
    visit(4, "text", self.text);
    visit(5, "pool", self.pool);
  }
};

/// A pool that could run the job, and how good it is.
struct Candidate {
  std::string pool;  // "site/pool".
  PoolId pool_id;
  std::string region;
  std::string chip;
  std::string alternative;  // Which wish it meets: "H800-SXM:8", or "" for none.
  std::uint32_t nodes = 0;  // That can take a task of this job right now.
  Money hourly_cost;        // Of the whole job.
  Price price;
  bool is_firm = false;
  bool starts_now = false;
  Span reading_age;                // 0 = known exactly.
  std::vector<std::string> score;  // Terms, largest first: "cost 18.40 CNY/h".
  Span rtt;                        // To where.near; 0 = not asked, or not known.
  bool rtt_is_estimated = false;   // From the distance: nobody has measured it.

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "pool_id", self.pool_id);
    visit(3, "region", self.region);
    visit(4, "chip", self.chip);
    visit(5, "alternative", self.alternative);
    visit(6, "nodes", self.nodes);
    visit(7, "hourly_cost", self.hourly_cost);
    visit(8, "price", self.price);
    visit(9, "is_firm", self.is_firm);
    visit(10, "starts_now", self.starts_now);
    visit(11, "reading_age", self.reading_age);
    visit(12, "score", self.score);
    visit(13, "rtt", self.rtt);
    visit(14, "rtt_is_estimated", self.rtt_is_estimated);
  }
};

/// Answers `find`: candidates best first, and why the others are not among them.
struct Found {
  std::uint64_t sequence = 0;
  std::uint64_t total = 0;  // Candidates in all; `candidates` holds at most `limit`.
  std::uint64_t pools = 0;  // Looked at.
  std::vector<Candidate> candidates;
  std::vector<Rejection> rejected;
  std::vector<Change> changes;  // Only when nothing fits.

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "total", self.total);
    visit(3, "pools", self.pools);
    visit(4, "candidates", self.candidates);
    visit(5, "rejected", self.rejected);
    visit(6, "changes", self.changes);
  }
};

/// Answers `plan`: what would happen. `plan_id` binds the spec, the placement and the state
/// version.
struct PlanView {
  std::string plan_id;
  std::uint64_t sequence = 0;
  bool starts_now = false;
  std::string text;  // For people, one sentence.
  Money hourly_cost;
  Money hold;       // What would be set aside.
  Money available;  // On the project's account now.
  std::vector<Candidate> placements;
  std::vector<Rejection> rejected;
  std::vector<Change> changes;
  std::string refused;                 // The refusal that submitting would get, or "".
  std::optional<Transfer> transfer{};  // Absent where there is nothing to bring.
  std::uint32_t pools = 0;             // So many of `placements` it would start in, the first ones.

  static void fields(auto&& visit, auto& self) {
    visit(1, "plan_id", self.plan_id);
    visit(2, "sequence", self.sequence);
    visit(3, "starts_now", self.starts_now);
    visit(4, "text", self.text);
    visit(5, "hourly_cost", self.hourly_cost);
    visit(6, "hold", self.hold);
    visit(7, "available", self.available);
    visit(8, "placements", self.placements);
    visit(9, "rejected", self.rejected);
    visit(10, "changes", self.changes);
    visit(11, "refused", self.refused);
    visit(12, "transfer", self.transfer);
    visit(13, "pools", self.pools);
  }
};

struct AttemptView {
  std::uint32_t number = 0;
  std::string state;  // reserving, staging, running, stopping, ended.
  std::string pool;
  LeaseId lease;
  Moment started;
  Moment ended;
  AttemptEnd end = AttemptEnd::none;
  std::int32_t exit_code = 0;
  Usage usage;
  Money cost;
  std::string reason;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "state", self.state);
    visit(3, "pool", self.pool);
    visit(4, "lease", self.lease);
    visit(5, "started", self.started);
    visit(6, "ended", self.ended);
    visit(7, "end", self.end);
    visit(8, "exit_code", self.exit_code);
    visit(9, "usage", self.usage);
    visit(10, "cost", self.cost);
    visit(11, "reason", self.reason);
  }
};

struct TaskView {
  std::uint32_t task = 0;
  JobState state = JobState::queued;
  std::vector<AttemptView> attempts;

  static void fields(auto&& visit, auto& self) {
    visit(1, "task", self.task);
    visit(2, "state", self.state);
    visit(3, "attempts", self.attempts);
  }
};

struct JobView {
  JobId id;
  std::string name;
  std::string project;
  std::string user;
  JobKind kind = JobKind::batch;
  JobState state = JobState::queued;
  std::string reason;          // Why it waits or how it ended; one sentence.
  std::int32_t exit_code = 0;  // Of the first task that failed, else 0.
  Moment submitted;
  Moment started;
  Moment ended;
  std::string pool;  // "site/pool"; "" while queued.
  std::string chip;
  std::int64_t card_milli = 0;  // Per node.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  std::uint32_t nodes = 1;
  std::uint32_t elements = 1;
  Money hourly_cost;
  Money held;
  Money cost;  // Charged, or for a running job accrued so far.
  Money budget;
  Span max_duration;
  std::uint64_t sequence = 0;   // Of the last change.
  std::vector<TaskView> tasks;  // Only in the answer about one job.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "project", self.project);
    visit(4, "user", self.user);
    visit(5, "kind", self.kind);
    visit(6, "state", self.state);
    visit(7, "reason", self.reason);
    visit(8, "exit_code", self.exit_code);
    visit(9, "submitted", self.submitted);
    visit(10, "started", self.started);
    visit(11, "ended", self.ended);
    visit(12, "pool", self.pool);
    visit(13, "chip", self.chip);
    visit(14, "card_milli", self.card_milli);
    visit(15, "cpu_milli", self.cpu_milli);
    visit(16, "memory_bytes", self.memory_bytes);
    visit(17, "nodes", self.nodes);
    visit(18, "elements", self.elements);
    visit(19, "hourly_cost", self.hourly_cost);
    visit(20, "held", self.held);
    visit(21, "cost", self.cost);
    visit(22, "budget", self.budget);
    visit(23, "max_duration", self.max_duration);
    visit(24, "sequence", self.sequence);
    visit(25, "tasks", self.tasks);
  }
};

struct JobList {
  std::uint64_t sequence = 0;
  std::vector<JobView> jobs;  // Newest first.
  std::string next;           // Pass as `?before=`; "" at the end.

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "jobs", self.jobs);
    visit(3, "next", self.next);
  }
};

/// How much of an upload is there.
struct UploadView {
  std::string sha256;
  std::int64_t bytes = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sha256", self.sha256);
    visit(2, "bytes", self.bytes, "That are here; go on from there.");
  }
};

/// Answers `why`. For a waiting job: every candidate turned down, by reason, and the smallest
/// single changes. For a placed or ended one: what was recorded when it was decided.
struct WhyView {
  JobId id;
  JobState state = JobState::queued;
  std::string text;         // One sentence.
  std::uint64_t pools = 0;  // Looked at.
  std::vector<Rejection> rejected;
  std::vector<Change> changes;
  bool nothing_helps = false;  // No single change would let it start now.
  std::uint64_t ahead = 0;     // Waiting jobs before it in the queue.
  Candidate chosen;            // Of a placed job.
  std::vector<Candidate> alternatives;
  std::vector<std::string> history;  // Refusals met on the way, oldest first.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "state", self.state);
    visit(3, "text", self.text);
    visit(4, "pools", self.pools);
    visit(5, "rejected", self.rejected);
    visit(6, "changes", self.changes);
    visit(7, "nothing_helps", self.nothing_helps);
    visit(8, "ahead", self.ahead);
    visit(9, "chosen", self.chosen);
    visit(10, "alternatives", self.alternatives);
    visit(11, "history", self.history);
  }
};

struct PoolView {
  Pool pool;
  std::string name;  // "site/pool".
  std::string region;
  std::string city;
  std::string member;
  std::uint64_t cards_total = 0;
  std::int64_t cards_free_milli = 0;
  std::int64_t cpu_free_milli = 0;
  std::int64_t memory_free_bytes = 0;
  std::uint32_t nodes_free = 0;  // Wholly free.
  double fp16_tflops_dense = 0;  // Of one card, from the catalogue of chips; 0 = unknown.
  std::string flops_source;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "name", self.name);
    visit(3, "region", self.region);
    visit(4, "city", self.city);
    visit(5, "member", self.member);
    visit(6, "cards_total", self.cards_total);
    visit(7, "cards_free_milli", self.cards_free_milli);
    visit(8, "cpu_free_milli", self.cpu_free_milli);
    visit(9, "memory_free_bytes", self.memory_free_bytes);
    visit(10, "nodes_free", self.nodes_free);
    visit(11, "fp16_tflops_dense", self.fp16_tflops_dense);
    visit(12, "flops_source", self.flops_source);
  }
};

struct PoolList {
  std::uint64_t sequence = 0;
  std::vector<PoolView> pools;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "pools", self.pools);
  }
};

/// The whole domain at a glance.
struct DomainView {
  std::string name;
  std::string version;
  std::uint64_t sequence = 0;
  Digest hash;     // Of the journal at `sequence`.
  Moment started;  // This process.
  std::vector<Site> sites;
  std::vector<MemberView> members;
  std::uint64_t jobs_queued = 0;
  std::uint64_t jobs_running = 0;
  std::uint64_t jobs_ended = 0;
  std::uint64_t cards_total = 0;
  std::int64_t cards_free_milli = 0;
  std::int64_t cpu_total_milli = 0;
  std::int64_t cpu_free_milli = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name);
    visit(2, "version", self.version);
    visit(3, "sequence", self.sequence);
    visit(4, "hash", self.hash);
    visit(5, "started", self.started);
    visit(6, "sites", self.sites);
    visit(7, "members", self.members);
    visit(8, "jobs_queued", self.jobs_queued);
    visit(9, "jobs_running", self.jobs_running);
    visit(10, "jobs_ended", self.jobs_ended);
    visit(11, "cards_total", self.cards_total);
    visit(12, "cards_free_milli", self.cards_free_milli);
    visit(13, "cpu_total_milli", self.cpu_total_milli);
    visit(14, "cpu_free_milli", self.cpu_free_milli);
  }
};

struct ProjectView {
  ProjectId id;
  std::string name;
  std::string organisation;
  Money available;
  Money held;
  Money charged;  // Ever.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "organisation", self.organisation);
    visit(4, "available", self.available);
    visit(5, "held", self.held);
    visit(6, "charged", self.charged);
  }
};

struct ProjectList {
  std::uint64_t sequence = 0;
  std::vector<ProjectView> projects;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "projects", self.projects);
  }
};

struct KeyView {
  KeyId id;
  std::string user;
  std::string organisation;
  std::string role;
  std::string label;
  Moment created;
  Moment revoked;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "user", self.user);
    visit(3, "organisation", self.organisation);
    visit(4, "role", self.role);
    visit(5, "label", self.label);
    visit(6, "created", self.created);
    visit(7, "revoked", self.revoked);
  }
};

struct KeyList {
  std::uint64_t sequence = 0;
  std::vector<KeyView> keys;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "keys", self.keys);
  }
};

/// One side of a double entry; the amounts of a transaction add up to zero.
struct PostingView {
  std::uint64_t sequence = 0;  // The journal record.
  Moment at;
  std::string kind;  // deposit, hold, release, charge, loss.
  std::string from;  // Accounts by name: "project/lab-a", "held/lab-a", "provider/lab".
  std::string to;
  Money amount;
  JobId job;
  std::string text;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "at", self.at);
    visit(3, "kind", self.kind);
    visit(4, "from", self.from);
    visit(5, "to", self.to);
    visit(6, "amount", self.amount);
    visit(7, "job", self.job);
    visit(8, "text", self.text);
  }
};

struct PostingList {
  std::uint64_t sequence = 0;
  std::vector<PostingView> postings;  // Newest first.
  std::string next;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "postings", self.postings);
    visit(3, "next", self.next);
  }
};

/// One charge line, with FOCUS 1.2 column names in lower snake case.
struct ChargeView {
  JobId job;
  std::uint32_t task = 0;
  std::uint32_t attempt = 0;
  std::string sub_account_name;  // The project.
  std::string resource_name;     // The pool.
  Moment charge_period_start;
  Moment charge_period_end;
  std::string consumed_unit;  // "Accelerator-Hours" or "Core-Hours".
  double consumed_quantity = 0;
  double pricing_quantity = 0;  // The same, each hour by its rate.
  Money list_unit_price;
  Money billed_cost;
  std::string charge_description;

  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "task", self.task);
    visit(3, "attempt", self.attempt);
    visit(4, "sub_account_name", self.sub_account_name);
    visit(5, "resource_name", self.resource_name);
    visit(6, "charge_period_start", self.charge_period_start);
    visit(7, "charge_period_end", self.charge_period_end);
    visit(8, "consumed_unit", self.consumed_unit);
    visit(9, "consumed_quantity", self.consumed_quantity);
    visit(10, "list_unit_price", self.list_unit_price);
    visit(11, "billed_cost", self.billed_cost);
    visit(12, "charge_description", self.charge_description);
    visit(13, "pricing_quantity", self.pricing_quantity);
  }
};

struct CostView {
  std::uint64_t sequence = 0;
  std::vector<ChargeView> charges;  // Newest first.
  Money total;                      // Of all that matched, not only of this page.
  std::string next;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "charges", self.charges);
    visit(3, "total", self.total);
    visit(4, "next", self.next);
  }
};

/// Who is asking.
struct MeView {
  std::string user;
  std::string organisation;
  std::string role;
  std::vector<std::string> projects;

  static void fields(auto&& visit, auto& self) {
    visit(1, "user", self.user);
    visit(2, "organisation", self.organisation);
    visit(3, "role", self.role);
    visit(4, "projects", self.projects);
  }
};

/// What a watcher is told over SSE (`event: change`); the event's id is the sequence.
struct Notice {
  std::uint64_t sequence = 0;
  Moment at;
  std::string event;                  // Its name in the journal: "job_submitted".
  JobId job;                          // The job it is about, or none.
  JobState state = JobState::queued;  // Of that job after it.

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "at", self.at);
    visit(3, "event", self.event);
    visit(4, "job", self.job);
    visit(5, "state", self.state);
  }
};

}  // namespace suan::api
