// What one thread of the core decides in a second, what a replay folds, how long a start takes and
// what a waiting job weighs: JSON lines on stdout, one a metric, the median of five runs each.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/ensure.h"
#include "journal/sqlite_journal.h"
#include "naive.h"
#include "runtime/codec.h"
#include "runtime/memory.h"
#include "seams.h"
#include "traffic.h"

namespace suan::bench {

namespace {

constexpr int runs = 5;
constexpr std::size_t live_jobs = 10'000;
constexpr std::size_t mix_commands = 100'000;  // Of one run; between them jobs are ended, untimed.
constexpr std::size_t mix_part = 2'000;
constexpr std::size_t ended_jobs_warm = 40'000;
constexpr std::size_t waiting_jobs = 100'000;
constexpr std::uint64_t startup_events = 1'000'000;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double wall_seconds() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void print(const std::string& metric, double value, const char* unit, double baseline = 0) {
  std::printf("{\"bench\":\"core\",\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"",
              metric.c_str(), value, unit);
  if (baseline > 0) std::printf(",\"baseline\":%.6g", baseline);
  std::printf("}\n");
  std::fflush(stdout);
}

void complain(const Failure& failure) {
  std::fprintf(stderr, "bench_core: %s %s\n", failure.text.c_str(), failure.place.c_str());
  std::exit(1);
}

void add(Tally& sum, const Tally& more) {
  sum.commands += more.commands;
  sum.inner += more.inner;
  sum.seconds += more.seconds;
}

// Until as many ended jobs are in memory as will be: those of the last hour.
void warm_up(Traffic& traffic) {
  traffic.fill(live_jobs);
  for (std::size_t ended = 0; ended < ended_jobs_warm; ended += live_jobs / 20) {
    traffic.fill(live_jobs / 20);
    traffic.drain(live_jobs);
  }
}

std::pair<double, double> mix_rates(Traffic& traffic) {
  std::vector<double> decisions;
  std::vector<double> inner;
  for (int run = 0; run < runs; ++run) {
    Tally sum;
    while (sum.commands < mix_commands) {
      add(sum, traffic.mix(mix_part));
      traffic.drain(live_jobs);
    }
    decisions.push_back(static_cast<double>(sum.commands) / sum.seconds);
    inner.push_back(static_cast<double>(sum.inner) / sum.seconds);
  }
  return {median(decisions), median(inner)};
}

double kind_rate(Traffic& traffic, Kind kind, std::size_t count) {
  std::vector<double> rates;
  for (int run = 0; run < runs; ++run) {
    traffic.drain(kind == Kind::submit ? live_jobs - count / 2 : live_jobs);
    traffic.fill(kind == Kind::finish ? count / 2 : 0);
    const Tally tally = traffic.repeat(kind, count);
    rates.push_back(static_cast<double>(tally.commands) / tally.seconds);
    const std::size_t live = traffic.centre().running.size();
    if (live < live_jobs) traffic.fill(live_jobs - live);
  }
  return median(rates);
}

std::vector<Pool> pools_of(Traffic& traffic) {
  std::vector<Pool> pools;
  for (const auto& [id, pool] : traffic.core().state().catalogue().pools()) pools.push_back(pool);
  return pools;
}

// The mix on the naive domain: the same pools, specs and proportions.
double naive_rate(Traffic& traffic) {
  NaiveDomain domain(pools_of(traffic));
  const std::vector<JobSpec>& specs = traffic.specs();
  Random random(3);
  std::vector<std::uint64_t> live;
  std::uint64_t request = 0;
  const auto submit = [&] {
    const std::uint64_t id = domain.submit(++request, specs[random.below(specs.size())]);
    if (id != 0) live.push_back(id);
  };
  const auto finish = [&] {
    std::uint64_t& any = live[random.below(live.size())];
    domain.finish(std::exchange(any, live.back()), seconds(600));
    live.pop_back();
  };
  while (live.size() < live_jobs) submit();
  std::vector<double> rates;
  for (int run = 0; run < runs; ++run) {
    double spent = 0;
    std::uint64_t done = 0;
    while (done < mix_commands / 5) {
      const double start = processor_seconds();
      for (int i = 0; i < 1000; ++i, ++done) {
        const int turn = i % 20;
        if (turn < 12)
          submit();
        else if (turn < 19)
          finish();
        else
          domain.submit(request, specs[0]);
      }
      spent += processor_seconds() - start;
      while (live.size() > live_jobs) finish();
    }
    rates.push_back(static_cast<double>(done) / spent);
  }
  std::fprintf(stderr, "naive: %zu bytes of journal\n", domain.journal_bytes());
  return median(rates);
}

// The mix alone, for whoever makes it faster.
void measure_mix() {
  FreeJournal journal;
  Traffic traffic({}, journal, 1);
  warm_up(traffic);
  print("decisions_per_second", mix_rates(traffic).first, "1/s");
}

void measure_decisions() {
  FreeJournal journal;
  Traffic traffic({}, journal, 1);
  warm_up(traffic);
  const auto [decisions, inner] = mix_rates(traffic);
  const double naive = naive_rate(traffic);
  print("decisions_per_second", decisions, "1/s", naive);
  print("inner_decisions_per_second", inner, "1/s");
  print("submit_decisions_per_second", kind_rate(traffic, Kind::submit, 4'096), "1/s");
  print("finish_decisions_per_second", kind_rate(traffic, Kind::finish, 4'096), "1/s");
  print("cancel_decisions_per_second", kind_rate(traffic, Kind::cancel, 2'048), "1/s");
  print("duplicate_decisions_per_second", kind_rate(traffic, Kind::duplicate, 20'480), "1/s");
  const std::uint64_t bytes = journal.bytes();
  const std::uint64_t events = traffic.centre().events;
  journal.chains_hashes = true;
  print("decisions_per_second_with_hash_chain", mix_rates(traffic).first, "1/s", decisions);
  print("bytes_per_event", static_cast<double>(bytes) / static_cast<double>(events), "B");
  std::fprintf(stderr, "decisions: %llu refused, %llu waiting, %zu requests remembered\n",
               static_cast<unsigned long long>(traffic.refused()),
               static_cast<unsigned long long>(traffic.core().state().jobs().waiting()),
               traffic.core().state().requests());
}

// Lives of jobs until the journal holds `events` events, `live_jobs` of them still running.
void live(Traffic& traffic, std::uint64_t events) {
  traffic.fill(live_jobs);
  while (traffic.centre().events < events) {
    traffic.mix(mix_part);
    traffic.drain(live_jobs);
  }
}

void measure_replay() {
  FreeJournal journal;
  journal.keeps_records = true;
  Traffic traffic({}, journal, 2);
  live(traffic, startup_events);
  std::vector<double> rates;
  std::vector<double> decode_rates;
  for (int run = 0; run < runs; ++run) {
    domain::State state;
    const double start = processor_seconds();
    for (const journal::Record& record : journal.records()) {
      auto events = runtime::decode_events(record.bytes);
      ensure(events.has_value());
      state.apply(*events, record.moment);
    }
    const double spent = processor_seconds() - start;
    rates.push_back(static_cast<double>(traffic.centre().events) / spent);
    const double decoding = processor_seconds();
    for (const journal::Record& record : journal.records())
      ensure(runtime::decode_events(record.bytes).has_value());
    decode_rates.push_back(static_cast<double>(traffic.centre().events) /
                           (processor_seconds() - decoding));
    if (run == 0) {
      ensure(runtime::state_hash(state) == runtime::state_hash(traffic.core().state()));
    }
  }
  print("replay_events_per_second", median(rates), "1/s");
  print("decode_events_per_second", median(decode_rates), "1/s");
}

double start_seconds(const std::string& directory) {
  const double start = wall_seconds();
  auto journal = journal::SqliteJournal::open({.directory = directory});
  if (!journal) complain(journal.error());
  const auto state = runtime::replay(**journal);
  if (!state) complain(state.error());
  return wall_seconds() - start;
}

void measure_startup(const std::string& directory) {
  {
    auto journal = journal::SqliteJournal::open({.directory = directory});
    if (!journal) complain(journal.error());
    if (const auto epoch = (*journal)->claim_leadership(); !epoch) complain(epoch.error());
    Traffic traffic({}, **journal, 2);
    live(traffic, startup_events);
    const auto& jobs = traffic.core().state().jobs();
    std::fprintf(stderr, "startup: %llu events, %llu live jobs, %llu ended and still hot\n",
                 static_cast<unsigned long long>(traffic.centre().events),
                 static_cast<unsigned long long>(jobs.counts().active),
                 static_cast<unsigned long long>(jobs.counts().ended));
  }
  std::vector<double> times;
  for (int run = 0; run < runs; ++run) times.push_back(start_seconds(directory));
  const double without = median(times);
  print("startup_seconds_1000000_events", without, "s");
  {
    auto journal = journal::SqliteJournal::open({.directory = directory});
    if (!journal) complain(journal.error());
    const auto state = runtime::replay(**journal);
    if (!state) complain(state.error());
    const double start = wall_seconds();
    const std::string bytes = runtime::encode_state(*state);
    if (const auto written = (*journal)->write_snapshot(state->essence().sequence, bytes); !written)
      complain(written.error());
    print("snapshot_write_seconds", wall_seconds() - start, "s");
    print("snapshot_bytes", static_cast<double>(bytes.size()), "B");
  }
  times.clear();
  for (int run = 0; run < runs; ++run) times.push_back(start_seconds(directory));
  print("startup_seconds_1000000_events_with_snapshot", median(times), "s", without);
}

// What the process has in memory, whichever allocator it has.
double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  ensure(resident > 0);
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// The same jobs and requests as values of maps, as a baseline.
double naive_bytes(const std::vector<JobSpec>& specs) {
  struct Waiting {
    JobSpec spec;
    jobs::Job job;
  };
  std::map<JobId, Waiting> all;
  std::map<domain::RequestKey, domain::Answer> requests;
  const double before = resident_bytes();
  for (std::uint64_t i = 1; i <= waiting_jobs; ++i) {
    Waiting waiting{specs[i % specs.size()], {}};
    waiting.job.units.resize(1);
    waiting.job.units[0].tasks.resize(1);
    all.emplace(JobId{i}, std::move(waiting));
    requests.emplace(domain::RequestKey{{i, i}, UserId{1}},
                     domain::Answer{"job-" + std::to_string(i), i, {}});
  }
  return (resident_bytes() - before) / static_cast<double>(waiting_jobs);
}

void measure_waiting() {
  FreeJournal journal;
  Traffic traffic({.pools = 8, .nodes = 8}, journal, 3);
  traffic.fill(4'096);
  const auto& jobs = traffic.core().state().jobs();
  const std::uint64_t waiting_before = jobs.waiting();
  const double before = resident_bytes();
  traffic.fill(waiting_jobs);
  const auto waiting = static_cast<double>(jobs.waiting() - waiting_before);
  ensure(waiting > 0.99 * waiting_jobs);
  const double bytes = (resident_bytes() - before) / waiting;
  print("bytes_per_waiting_job", bytes, "B", naive_bytes(traffic.specs()));
}

}  // namespace

}  // namespace suan::bench

/// bench_core [mix|decisions|replay|startup|waiting]… ; all but mix without arguments. `startup`
/// writes its journal under $SUAN_BENCH_DIRECTORY, or here.
int main(int argc, char** argv) {
  using namespace suan::bench;
  suan::runtime::restart_with_large_caches(argv);  // As the server does.
  const auto wants = [&](const std::string& part) {
    if (argc == 1) return true;
    return std::any_of(argv + 1, argv + argc, [&](const char* given) { return given == part; });
  };
  if (argc == 2 && std::string(argv[1]) == "mix") measure_mix();
  if (wants("waiting")) measure_waiting();  // First: in memory that nobody used before.
  if (wants("decisions")) measure_decisions();
  if (wants("replay")) measure_replay();
  if (wants("startup")) {
    const char* place = std::getenv("SUAN_BENCH_DIRECTORY");
    const std::filesystem::path directory = std::filesystem::path(place == nullptr ? "." : place) /
                                            ("bench-core-" + std::to_string(::getpid()));
    measure_startup(directory.string());
    std::filesystem::remove_all(directory);
  }
}
