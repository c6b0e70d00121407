#include "slurm/rest_text.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "wire/json_tree.h"
#include "wire/json_writer.h"

namespace suan::slurm {
namespace {

using wire::JsonKind;
using wire::JsonValue;

constexpr wire::JsonLimits limits{
    .bytes_max = std::size_t{256} << 20U, .depth_max = 32, .values_max = 20'000'000};

std::optional<JsonValue> member(JsonValue object, std::string_view name) {
  if (!object.is(JsonKind::object)) return std::nullopt;
  auto from = object.begin();
  return object.find(name, from);
}

std::string text_of(JsonValue object, std::string_view name) {
  const auto found = member(object, name);
  return found && found->is(JsonKind::string) ? std::string(found->text()) : std::string{};
}

std::int64_t number_of(JsonValue object, std::string_view name, std::int64_t absent = 0) {
  const auto found = member(object, name);
  if (!found || !found->is(JsonKind::number)) return absent;
  const std::string_view digits = found->text();
  return parse_integer(digits.substr(0, digits.find('.'))).value_or(absent);
}

std::unexpected<Failure> malformed(std::string text, std::string place = {}) {
  return failure(Failure::Kind::invalid, "the answer of slurmrestd: " + std::move(text),
                 std::move(place));
}

// Calls `read(element, place)` for each element of the list `name`.
template <class Read>
Result<void> for_each(std::string_view answer, std::string_view name, Read read) {
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(answer, limits));
  const auto list = member(tree.root(), name);
  if (!list || !list->is(JsonKind::array))
    return malformed("it has no list of them", std::string(name));
  std::size_t index = 0;
  for (const JsonValue each : *list) {
    const std::string place = "/" + std::string(name) + "/" + std::to_string(index++);
    if (!each.is(JsonKind::object)) return malformed("expected an object", place);
    Result<void> done = read(each);
    if (!done) return malformed(done.error().text, place);
  }
  return {};
}

std::string print_state(JsonValue node) {
  std::string state = text_of(node, "state");
  std::ranges::transform(state, state.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  if (const auto flags = member(node, "state_flags"); flags && flags->is(JsonKind::array)) {
    for (const JsonValue flag : *flags)
      if (flag.is(JsonKind::string)) state += "+" + std::string(flag.text());
  }
  return state;
}

// Of one element of allocated_nodes; each version counts the cores in a way of its own.
std::int64_t count_cpus(JsonValue part, std::int64_t cpus_per_core) {
  if (const std::int64_t cpus = number_of(part, "cpus"); cpus > 0) return cpus;
  std::int64_t cores = 0;
  const auto sockets = member(part, "sockets");
  if (!sockets || !sockets->is(JsonKind::object)) return 0;
  for (const JsonValue socket : *sockets)
    if (const auto list = member(socket, "cores")) cores += static_cast<std::int64_t>(list->size());
  return cores * cpus_per_core;
}

std::int64_t memory_in(JsonValue part) {
  return std::max(number_of(part, "memory"), number_of(part, "memory_allocated"));
}

Result<void> read_holdings(JsonValue json, Job& job) {
  const auto resources = member(json, "job_resources");
  const std::int64_t cpus = number_of(json, "cpus");
  SUAN_TRY(const auto hosts, expand_hosts(text_of(json, "nodes")));
  std::vector<std::vector<Gres>> gres;
  if (const auto list = member(json, "gres_detail"); list && list->is(JsonKind::array)) {
    for (const JsonValue each : *list) {
      SUAN_TRY(gres.emplace_back(), parse_gres(each.is(JsonKind::string) ? each.text() : ""));
    }
  }
  for (const std::string& host : hosts) job.holdings.push_back({host, 0, 0, {}});
  for (std::size_t i = 0; i < job.holdings.size() && i < gres.size(); ++i)
    job.holdings[i].gres = std::move(gres[i]);
  if (!resources || hosts.empty()) return {};
  const std::int64_t cores = number_of(*resources, "allocated_cores");
  const std::int64_t cpus_per_core = cores > 0 ? std::max<std::int64_t>(cpus / cores, 1) : 1;
  const auto parts = member(*resources, "allocated_nodes");
  if (!parts || (!parts->is(JsonKind::array) && !parts->is(JsonKind::object))) return {};
  std::size_t index = 0;
  for (const JsonValue part : *parts) {
    // A list says the names; an object has the indexes for names.
    std::string name = text_of(part, "nodename");
    if (name.empty() && index < hosts.size()) name = hosts[index];
    ++index;
    const auto at = std::ranges::find(job.holdings, name, &Holding::node);
    if (at == job.holdings.end()) continue;
    at->cpus = count_cpus(part, cpus_per_core);
    at->memory_mebibytes = memory_in(part);
  }
  if (hosts.size() == 1) job.holdings.front().cpus = cpus;
  return {};
}

Result<Job> read_job(JsonValue json) {
  Job job;
  const std::int64_t id = number_of(json, "job_id", -1);
  if (id < 0) return failure(Failure::Kind::invalid, "expected a number as job_id");
  job.id = static_cast<std::uint64_t>(id);
  job.name = text_of(json, "name");
  job.partition = text_of(json, "partition");
  job.state_name = text_of(json, "job_state");
  job.state = parse_job_state(job.state_name);
  job.reason = text_of(json, "state_description");
  if (job.reason.empty()) job.reason = text_of(json, "state_reason");
  if (job.reason == "None") job.reason.clear();
  job.was_requeued = number_of(json, "restart_cnt") > 0;
  const std::int64_t status = number_of(json, "exit_code");  // As of wait(2).
  job.signal = static_cast<std::int32_t>(status & 0x7F);
  job.exit_code = static_cast<std::int32_t>((status >> 8) & 0xFF);
  if (job.state == JobState::running || job.state == JobState::completing)
    SUAN_CHECK(read_holdings(json, job));
  return job;
}

Result<Node> read_node(JsonValue json, RestVersion version) {
  Node node;
  node.name = text_of(json, "name");
  if (node.name.empty()) return failure(Failure::Kind::invalid, "expected a text as name");
  node.cpus = number_of(json, "cpus");
  node.memory_mebibytes = number_of(json, "real_memory");
  SUAN_TRY(node.gres, parse_gres(text_of(json, "gres")));
  node.state = print_state(json);
  node.takes_work = takes_work(node.state);
  // v0.0.36 does not tell drained nodes; Slurm clears the reason when a node comes back.
  const std::string reason = text_of(json, "reason");
  if (version == RestVersion::v36 && node.takes_work && !reason.empty()) {
    node.takes_work = false;
    node.state += " (" + reason + ")";
  }
  return node;
}

}  // namespace

std::string_view print_rest_version(RestVersion version) {
  return version == RestVersion::v38   ? "v0.0.38"
         : version == RestVersion::v37 ? "v0.0.37"
                                       : "v0.0.36";
}

Result<RestVersion> choose_rest_version(std::string_view document, RestVersion newest) {
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(document, limits));
  const auto paths = member(tree.root(), "paths");
  if (!paths || !paths->is(JsonKind::object)) return malformed("/openapi/v3 has no paths");
  std::set<std::string, std::less<>> found;
  for (const JsonValue path : *paths) {
    const std::string_view name = path.name();
    constexpr std::string_view root = "/slurm/";
    if (!name.starts_with(root) || name.size() > 256) continue;
    const std::string_view rest = name.substr(root.size());
    if (found.size() < 100) found.emplace(rest.substr(0, rest.find('/')));
  }
  for (const RestVersion version : {RestVersion::v38, RestVersion::v37, RestVersion::v36})
    if (version >= newest && found.contains(print_rest_version(version))) return version;
  std::string names;
  for (const std::string& each : found) names += (names.empty() ? "" : ", ") + each;
  return failure(Failure::Kind::unsupported,
                 "slurmrestd serves " + (names.empty() ? "no version of the Slurm API" : names) +
                     "; this program speaks " + std::string(rest_versions_spoken) +
                     ": start slurmrestd with -s openapi/v0.0.38, or leave out slurm.rest to use "
                     "the commands");
}

Result<std::optional<RestError>> read_rest_error(std::string_view answer) {
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(answer, limits));
  const auto errors = member(tree.root(), "errors");
  if (!errors || !errors->is(JsonKind::array)) return malformed("it has no errors", "/errors");
  for (const JsonValue each : *errors) {
    RestError error;
    for (const char* name : {"error_number", "error_code", "errno"})
      if (error.number == 0) error.number = number_of(each, name);
    error.text = text_of(each, "error");
    const std::string description = text_of(each, "description");
    if (!description.empty() && description.find(error.text) == std::string::npos)
      error.text = description + ": " + error.text;
    else if (!description.empty())
      error.text = description;
    // v0.0.36 has words only.
    if (error.text.find("unknown job") != std::string::npos ||
        error.text.find("Invalid job id") != std::string::npos)
      error.number = 2017;
    return error;
  }
  return std::nullopt;
}

Failure to_failure(const RestError& error) {
  constexpr std::int64_t invalid_job_id = 2017;
  const std::string said = "Slurm says: " + error.text.substr(0, 300);
  if (error.number == invalid_job_id) return {Failure::Kind::not_found, said, {}};
  if (error.text.find("Zero Bytes") != std::string::npos || error.number == 1007)
    return {Failure::Kind::unavailable,
            "slurmctld refuses the token (it is wrong, or over, or of another user)",
            {}};
  // 2000 to 2999 are what slurmctld refuses, 9000 and above what slurmrestd cannot read.
  const bool is_for_good = (error.number >= 2000 && error.number < 3000) || error.number >= 9000;
  // What passes: nodes busy or down, as all are after a restart of slurmctld, partitions closed for
  // a while, a backup controller, submissions stopped by an administrator.
  static constexpr std::array<std::int64_t, 12> passing{2015, 2016, 2019, 2020, 2026, 2027,
                                                        2037, 2068, 2070, 2105, 2118, 2131};
  const bool is_passing = std::ranges::find(passing, error.number) != passing.end();
  return {
      is_for_good && !is_passing ? Failure::Kind::invalid : Failure::Kind::unavailable, said, {}};
}

Result<std::vector<Partition>> read_rest_partitions(std::string_view answer) {
  std::vector<Partition> all;
  SUAN_CHECK(for_each(answer, "partitions", [&](JsonValue json) -> Result<void> {
    Partition partition;
    partition.name = text_of(json, "name");
    if (partition.name.empty()) return failure(Failure::Kind::invalid, "expected a text as name");
    SUAN_TRY(partition.nodes, expand_hosts(text_of(json, "nodes")));
    const std::string state = text_of(json, "state");
    partition.is_up = state.empty() || state == "UP";  // v0.0.36 does not tell.
    all.push_back(std::move(partition));
    return {};
  }));
  return all;
}

Result<std::vector<Node>> read_rest_nodes(std::string_view answer, RestVersion version) {
  std::vector<Node> all;
  SUAN_CHECK(for_each(answer, "nodes", [&](JsonValue json) -> Result<void> {
    SUAN_TRY(all.emplace_back(), read_node(json, version));
    return {};
  }));
  return all;
}

Result<std::vector<Job>> read_rest_jobs(std::string_view answer) {
  std::vector<Job> all;
  SUAN_CHECK(for_each(answer, "jobs", [&](JsonValue json) -> Result<void> {
    SUAN_TRY(all.emplace_back(), read_job(json));
    return {};
  }));
  return all;
}

Result<std::uint64_t> read_rest_job_id(std::string_view answer) {
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(answer, limits));
  const std::int64_t id = number_of(tree.root(), "job_id", -1);
  if (id <= 0) return malformed("it has no job_id");
  return static_cast<std::uint64_t>(id);
}

Result<std::string> read_rest_release(std::string_view answer) {
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(answer, limits));
  const auto meta = member(tree.root(), "meta");
  auto slurm = meta ? member(*meta, "Slurm") : std::nullopt;
  if (meta && !slurm) slurm = member(*meta, "slurm");
  std::string release = slurm ? text_of(*slurm, "release") : std::string{};
  if (release.empty()) return malformed("it does not say the release of Slurm", "/meta/Slurm");
  return release.substr(0, 64);
}

std::string print_rest_submission(const Submission& job, RestVersion version) {
  std::string out;
  wire::JsonWriter writer(out);
  const auto text = [&](std::string_view name, std::string_view value) {
    out += out.ends_with('{') ? "\"" : ",\"";
    out += std::string(name) + "\":";
    writer.string(value);
  };
  const auto number = [&](std::string_view name, std::int64_t value) {
    out += ",\"" + std::string(name) + "\":" + std::to_string(value);
  };
  out = "{\"job\":{";
  text("name", job.name);
  text("comment", job.comment);
  text("partition", job.partition);
  text("nodelist", job.node);
  number("tasks", 1);
  number("cpus_per_task", job.cpus);
  number("memory_per_node", job.memory_mebibytes);
  if (job.gres.count > 0) text("gres", job.gres.name + ":" + std::to_string(job.gres.count));
  if (job.minutes > 0) number("time_limit", job.minutes);
  text("current_working_directory", job.directory);
  const bool is_old = version == RestVersion::v36;
  text(is_old ? "standard_out" : "standard_output", job.output);
  text("standard_error", job.output);
  out += R"(,"environment":{"PATH":"/usr/local/bin:/usr/bin:/bin"}},"script":)";
  writer.string(job.script);
  out += "}";
  return out;
}

}  // namespace suan::slurm
