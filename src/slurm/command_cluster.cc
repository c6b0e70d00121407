#include "slurm/command_cluster.h"

#include <algorithm>

#include "base/text.h"
#include "slurm/command_text.h"
#include "slurm/program.h"

namespace suan::slurm {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{256} << 20U;

class CommandCluster final : public Cluster {
 public:
  explicit CommandCluster(const CommandOptions& options) : options_(options) {
    variables_.emplace_back("LC_ALL=C");
    // What the server was started in must not change what its jobs are.
    variables_.emplace_back("SLURM_TIME_FORMAT=standard");
    if (!options.configuration.empty()) variables_.push_back("SLURM_CONF=" + options.configuration);
  }

  Result<Greeting> greet() override {
    SUAN_TRY(const std::string line, ask({"sinfo", "--version"}));
    SUAN_TRY(const std::string answer, ask({"scontrol", "show", "partition", "-o"}));
    Greeting greeting;
    SUAN_TRY(greeting.version, read_version_line(line));
    greeting.way = "the commands of Slurm";
    return greeting;
  }

  Result<std::vector<Partition>> partitions() override {
    SUAN_TRY(const std::string answer, ask({"scontrol", "show", "partition", "-o"}));
    return read_partition_lines(answer);
  }
  Result<std::vector<Node>> nodes() override {
    SUAN_TRY(const std::string answer, ask({"scontrol", "show", "node", "-o"}));
    return read_node_lines(answer);
  }
  Result<std::vector<Job>> jobs() override {
    SUAN_TRY(const std::string answer, ask({"scontrol", "show", "job", "-d", "-o"}));
    return read_job_lines(answer);
  }
  Result<Job> job(std::uint64_t id) override {
    SUAN_TRY(const std::string answer,
             ask({"scontrol", "show", "job", "-d", "-o", std::to_string(id)}));
    SUAN_TRY(std::vector<Job> jobs, read_job_lines(answer));
    if (jobs.empty()) return failure(Failure::Kind::not_found, "Slurm knows no such job");
    return std::move(jobs.front());
  }
  Result<std::vector<Job>> find_jobs(const std::string& name) override {
    SUAN_TRY(const std::string ids, ask({"squeue", "-h", "-t", "all", "-o", "%A", "-n", name}));
    std::vector<Job> found;
    std::string_view rest = ids;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (const auto id = parse_integer(rest.substr(0, end)); id && *id > 0) {
        auto one = job(static_cast<std::uint64_t>(*id));
        if (!one && one.error().kind != Failure::Kind::not_found)
          return std::unexpected(one.error());
        if (one && one->name == name) found.push_back(*std::move(one));
      }
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
    std::ranges::sort(found, {}, &Job::id);
    return found;
  }
  Result<std::uint64_t> submit(const Submission& job) override {
    std::vector<std::string> words{"sbatch", "--parsable", "--no-requeue", "--export=PATH"};
    const auto add = [&](std::string_view option, const std::string& value) {
      words.push_back("--" + std::string(option) + "=" + value);
    };
    add("job-name", job.name);
    add("comment", job.comment);
    add("partition", job.partition);
    add("nodelist", job.node);
    add("nodes", "1");
    add("ntasks", "1");
    add("cpus-per-task", std::to_string(job.cpus));
    add("mem", std::to_string(job.memory_mebibytes));
    if (job.gres.count > 0) add("gres", job.gres.name + ":" + std::to_string(job.gres.count));
    if (job.minutes > 0) add("time", std::to_string(job.minutes));
    add("chdir", job.directory);
    add("output", job.output);
    SUAN_TRY(const std::string answer, ask(words, job.script));
    return read_submitted_id(answer);
  }
  Result<void> cancel(std::uint64_t id) override {
    const auto answer = ask({"scancel", std::to_string(id)});
    if (answer || answer.error().kind == Failure::Kind::not_found) return {};
    return std::unexpected(answer.error());
  }

 private:
  Result<std::string> ask(const std::vector<std::string>& words, const std::string& input = {}) {
    SUAN_TRY(ProgramEnd end,
             run_program(words, input, variables_, options_.answer_timeout, answer_bytes_max));
    if (end.exit_code == 0) return std::move(end.output);
    Failure why = read_complaint(end.error);
    why.place = words.front();
    return std::unexpected(std::move(why));
  }

  CommandOptions options_;
  std::vector<std::string> variables_;
};

}  // namespace

std::unique_ptr<Cluster> make_command_cluster(const CommandOptions& options) {
  return std::make_unique<CommandCluster>(options);
}

}  // namespace suan::slurm
