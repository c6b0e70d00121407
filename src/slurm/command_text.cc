#include "slurm/command_text.h"

#include <algorithm>

#include "base/text.h"

namespace suan::slurm {
namespace {

/// One line of "Key=value Key=value …".
class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  /// The value of the first such key at or behind `from`, up to the next blank; "" if there is
  /// none. `from` is moved behind it.
  std::string_view find(std::string_view key, std::size_t& from) const {
    const std::string wanted = std::string(key) + "=";
    for (std::size_t at = text_.find(wanted, from); at != std::string_view::npos;
         at = text_.find(wanted, at + 1)) {
      if (at > 0 && text_[at - 1] != ' ') continue;
      const std::size_t begin = at + wanted.size();
      const std::size_t end = std::min(text_.find(' ', begin), text_.size());
      from = end;
      return text_.substr(begin, end - begin);
    }
    return {};
  }
  std::string_view find(std::string_view key) const {
    std::size_t from = 0;
    return find(key, from);
  }
  std::int64_t number(std::string_view key) const {
    const auto found = parse_integer(find(key));
    return found && *found >= 0 ? *found : 0;
  }

  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

std::string known(std::string_view value) {
  return value == "(null)" || value == "None" ? std::string{} : std::string(value);
}

template <class Read>
Result<void> for_each_line(std::string_view text, Read read) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    // What there is none of is told in words: "No jobs in the system".
    if (line.empty() || line.starts_with("No ")) continue;
    Result<void> done = read(Line(line));
    if (!done)
      return failure(Failure::Kind::invalid, "the answer of scontrol: " + done.error().text,
                     "line " + std::to_string(number));
  }
  return {};
}

// "0-3,8": five.
std::int64_t count_ids(std::string_view text) {
  const auto ids = expand_hosts("[" + std::string(text) + "]");
  return ids ? static_cast<std::int64_t>(ids->size()) : 0;
}

// With -d: " Nodes=n[1-2] CPU_IDs=0-1 Mem=1000 GRES=gpu:a:2(IDX:0-1)" for each layout.
Result<void> read_layouts(const Line& line, Job& job) {
  std::size_t from = 0;
  while (true) {
    const std::string_view nodes = line.find("Nodes", from);
    if (nodes.empty()) return {};
    SUAN_TRY(const auto hosts, expand_hosts(nodes));
    Holding holding;
    std::size_t at = from;
    holding.cpus = count_ids(line.find("CPU_IDs", at));
    holding.memory_mebibytes = std::max<std::int64_t>(parse_mebibytes(line.find("Mem", at)), 0);
    const std::size_t next = std::min(line.text().find(" Nodes=", from), line.text().size());
    std::size_t gres_at = at;
    const std::string_view gres = line.find("GRES", gres_at);
    if (gres_at <= next) {
      SUAN_TRY(holding.gres, parse_gres(gres));
    }
    for (const std::string& host : hosts) {
      if (job.holdings.size() >= hosts_max) return {};
      holding.node = host;
      job.holdings.push_back(holding);
    }
  }
}

Result<Job> read_job(const Line& line) {
  Job job;
  const auto id = parse_integer(line.find("JobId"));
  if (!id || *id < 0) return failure(Failure::Kind::invalid, "expected JobId=NUMBER");
  job.id = static_cast<std::uint64_t>(*id);
  job.name = known(line.find("JobName"));
  job.partition = known(line.find("Partition"));
  job.state_name = line.find("JobState");
  job.state = parse_job_state(job.state_name);
  job.reason = known(line.find("Reason"));
  job.was_requeued = line.number("Restarts") > 0;
  const std::string_view status = line.find("ExitCode");
  const std::size_t colon = std::min(status.find(':'), status.size());
  job.exit_code = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(parse_integer(status.substr(0, colon)).value_or(0), 0, 255));
  if (colon < status.size())
    job.signal = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(parse_integer(status.substr(colon + 1)).value_or(0), 0, 127));
  if (job.state == JobState::running || job.state == JobState::completing)
    SUAN_CHECK(read_layouts(line, job));
  return job;
}

bool has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

std::string_view first_line(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.substr(0, 300);
}

}  // namespace

Result<std::vector<Partition>> read_partition_lines(std::string_view text) {
  std::vector<Partition> all;
  SUAN_CHECK(for_each_line(text, [&](const Line& line) -> Result<void> {
    Partition partition;
    partition.name = line.find("PartitionName");
    if (partition.name.empty())
      return failure(Failure::Kind::invalid, "expected PartitionName=NAME");
    SUAN_TRY(partition.nodes, expand_hosts(line.find("Nodes")));
    partition.is_up = line.find("State") == "UP";
    all.push_back(std::move(partition));
    return {};
  }));
  return all;
}

Result<std::vector<Node>> read_node_lines(std::string_view text) {
  std::vector<Node> all;
  SUAN_CHECK(for_each_line(text, [&](const Line& line) -> Result<void> {
    Node node;
    node.name = line.find("NodeName");
    if (node.name.empty()) return failure(Failure::Kind::invalid, "expected NodeName=NAME");
    node.cpus = line.number("CPUTot");
    node.memory_mebibytes = line.number("RealMemory");
    SUAN_TRY(node.gres, parse_gres(line.find("Gres")));
    node.state = line.find("State");
    node.takes_work = takes_work(node.state);
    all.push_back(std::move(node));
    return {};
  }));
  return all;
}

Result<std::vector<Job>> read_job_lines(std::string_view text) {
  std::vector<Job> all;
  SUAN_CHECK(for_each_line(text, [&](const Line& line) -> Result<void> {
    SUAN_TRY(all.emplace_back(), read_job(line));
    return {};
  }));
  return all;
}

Result<std::uint64_t> read_submitted_id(std::string_view text) {
  const std::string_view digits = text.substr(0, text.find_first_of(";\n"));
  const auto id = parse_integer(digits);
  if (id && *id > 0) return static_cast<std::uint64_t>(*id);
  return failure(Failure::Kind::invalid, "expected the number of a job from sbatch, found " +
                                             std::string(first_line(text)));
}

Result<std::string> read_version_line(std::string_view text) {
  const std::string_view line = first_line(text);
  const std::size_t blank = line.rfind(' ');
  const std::string_view release = blank == std::string_view::npos ? "" : line.substr(blank + 1);
  if (!release.empty() && release.front() >= '0' && release.front() <= '9')
    return std::string(release);
  return failure(Failure::Kind::invalid,
                 "expected the release of Slurm, found " + std::string(line));
}

Failure read_complaint(std::string_view text) {
  // The last line has the reason; ahead of it sbatch says what it tried.
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::string_view last = text.substr(text.rfind('\n') + 1).substr(0, 300);
  const std::string said = last.empty() ? "Slurm does not say why" : std::string(last);
  if (has(text, "Invalid job id")) return {Failure::Kind::not_found, said, {}};
  static constexpr std::string_view passing[] = {"Unable to contact",
                                                 "Socket timed out",
                                                 "temporarily",
                                                 "Zero Bytes",
                                                 "connect failure",
                                                 "Connection",
                                                 "Munge",
                                                 "munge",
                                                 "authentication",
                                                 "Authentication",
                                                 "standby",
                                                 "resolve",
                                                 "node not available",
                                                 "are busy",
                                                 "not available now",
                                                 "partition not available",
                                                 "disabled",
                                                 "I/O error",
                                                 "try again",
                                                 "Resource temporarily"};
  for (const std::string_view words : passing)
    if (has(text, words)) return {Failure::Kind::unavailable, said, {}};
  return {Failure::Kind::invalid, said, {}};
}

}  // namespace suan::slurm
