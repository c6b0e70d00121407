#include "site/site_check.h"

#include <algorithm>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "catalogue/chips.h"
#include "engine/discovery.h"
#include "engine/file.h"
#include "engine/process.h"
#include "engine/programs.h"
#include "engine/stores.h"

namespace suan::site {
namespace {

constexpr Span clock_difference_max = seconds(30);
constexpr Span look_every = milliseconds(100);

Span wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return seconds(now.tv_sec) + microseconds(now.tv_nsec / 1000);
}

std::string print_milliseconds(Span span) {
  return print_span(milliseconds(span.us / 1000));
}

/// The checks of a cluster, one after another.
class SlurmChecking {
 public:
  SlurmChecking(const SiteFile& file, Callback<void(const Check&)>& tell, Span patience)
      : slurm_(*file.document.slurm),
        options_(site::engine_options(file)),
        cluster_(make_cluster(file)),
        tell_(tell),
        patience_(patience) {}

  bool run() {
    if (!greets()) return false;
    const bool has_pools = offers();
    const bool has_directory = has_shared_directory();
    return has_pools && has_directory && runs_a_job() && are_all_held_;
  }

 private:
  bool tell(Check check) {
    are_all_held_ = are_all_held_ && check.holds;
    tell_(check);
    return check.holds;
  }
  bool fail(std::string name, const Failure& why, std::string remedy) {
    return tell({std::move(name), false,
                 why.text + (why.place.empty() ? "" : " (" + why.place + ")"), std::move(remedy)});
  }

  bool greets() {
    const auto greeting = cluster_->greet();
    if (greeting)
      return tell({"slurm", true, "Slurm " + greeting->version + " by " + greeting->way, {}});
    const bool by_rest = slurm_.rest.has_value();
    return fail("slurm", greeting.error(),
                by_rest ? "see that slurmrestd runs at " + *slurm_.rest +
                              ", that slurmctld runs, and that the token is of user " +
                              slurm_.user.value_or("(that of this process)")
                        : "see that `scontrol ping` says UP here, or give slurm.configuration or "
                          "slurm.rest");
  }

  bool offers() {
    const auto partitions = cluster_->partitions();
    if (!partitions)
      return fail("partitions", partitions.error(), "ask again when slurmctld answers");
    const auto nodes = cluster_->nodes();
    if (!nodes) return fail("nodes", nodes.error(), "ask again when slurmctld answers");
    nodes_ = *nodes;
    auto offer = slurm::make_offer(*partitions, *nodes, options_.offer, {});
    if (!offer)
      return fail("partitions", offer.error(), "correct slurm.partitions in the site file");
    offer_ = *std::move(offer);
    std::string text;
    for (const slurm::SlurmPool& pool : offer_.pools)
      text += (text.empty() ? "" : "; ") + std::to_string(pool.nodes.size()) + " × " + pool.kind +
              " in " + pool.partition;
    for (const slurm::Partition& partition : *partitions) {
      const bool is_wished = std::ranges::find(options_.offer.partitions, partition.name) !=
                             options_.offer.partitions.end();
      if (is_wished && !partition.is_up)
        tell({"partition " + partition.name, false, "it takes no jobs now",
              "scontrol update partitionname=" + partition.name + " state=up"});
    }
    if (offer_.pools.empty())
      return tell({"partitions", false, "there is no node in them to offer",
                   "name partitions that have nodes with cores and memory"});
    tell({"partitions", true, text, {}});
    for (const std::string& note : offer_.notes) tell({"note", true, note, {}});
    check_chips();
    return true;
  }

  void check_chips() {
    std::set<std::string> there;
    for (const slurm::Node& node : nodes_)
      for (const slurm::Gres& gres : node.gres) {
        there.insert(gres.name);
        there.insert(gres.name.substr(0, gres.name.find(':')));
      }
    for (const auto& [gres, chip] : slurm_.gres)
      if (!there.contains(gres))
        tell({"gres " + gres, false, "no node has it",
              "correct slurm.gres: `sinfo -N -o '%N %G'` shows what nodes have"});
    for (const slurm::SlurmPool& pool : offer_.pools) {
      const std::string& chip = pool.offered.chip;
      if (chip.empty()) continue;
      const bool is_known = catalogue::find_chip(chip) != nullptr;
      tell({"chip of " + pool.offered.name,
            true,
            chip + (is_known ? ""
                             : ", which data/accelerators.csv does not know: users ask for it "
                               "by this name; slurm.gres can say another"),
            {}});
    }
  }

  bool has_shared_directory() {
    const std::string& path = options_.shared_directory;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      return tell({"shared directory", false, "there is no directory " + path,
                   "make it on a file system that all nodes mount: mkdir -m 700 " + path});
    if (status.st_uid != ::geteuid())
      return tell({"shared directory", false,
                   path + " is of user " + std::to_string(status.st_uid) + ", this process is of " +
                       std::to_string(::geteuid()),
                   "run suan as the user whose jobs they are, and give them the directory"});
    mine_ = path + "/check-" + std::to_string(::getpid());
    const engine::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    engine::remove_tree(AT_FDCWD, mine_);
    if (!engine::make_directory(AT_FDCWD, mine_))
      return tell({"shared directory", false, path + " cannot be written to",
                   "see its owner, its mode and whether its file system is full or read-only"});
    return tell({"shared directory", true, path + " can be written to here", {}});
  }

  // A node and a partition for the job: the first that takes work.
  const slurm::SlurmPool* find_place(std::string& node) const {
    for (const slurm::SlurmPool& pool : offer_.pools)
      for (const std::string& name : pool.nodes) {
        const auto at = std::ranges::find(nodes_, name, &slurm::Node::name);
        if (at == nodes_.end() || !at->takes_work) continue;
        node = name;
        return &pool;
      }
    return nullptr;
  }

  bool runs_a_job() {
    const bool holds = try_a_job();
    engine::remove_tree(AT_FDCWD, mine_);
    return holds;
  }

  bool try_a_job() {
    slurm::Submission job;
    const slurm::SlurmPool* pool = find_place(job.node);
    if (pool == nullptr)
      return tell({"a job", false, "every node is down or drained", "sinfo -R says why"});
    job.name = "suan-site-test";
    job.comment = "suan site test";
    job.partition = pool->partition;
    job.memory_mebibytes = 64;
    job.minutes = 1;
    job.directory = "/";
    job.output = "/dev/null";
    job.script =
        "#!/bin/bash\ncd " + mine_ +
        " || exit 1\nfor each in bash setsid stat mv mkdir; do command -v $each >/dev/null "
        "|| missing+=$each,; done\necho \"$(id -u) $(date +%s%3N) ${missing:-none} .\" "
        ">answer.new && mv answer.new answer\n";
    const auto id = cluster_->submit(job);
    if (!id) return fail("a job", id.error(), "try sbatch as the same user: it says the same");
    std::string answer;
    Span seen;
    const Span until = engine::monotonic_now() + patience_;
    while (!answer.ends_with(" .\n") && engine::monotonic_now() < until) {
      const timespec pause{.tv_sec = 0, .tv_nsec = look_every.us * 1000};
      ::nanosleep(&pause, nullptr);
      answer = engine::read_file(AT_FDCWD, mine_ + "/answer", 4096).value_or("");
      seen = wall_clock();
    }
    if (answer.ends_with(" .\n")) return judge(job.node, answer, seen);
    const auto left = cluster_->job(*id);
    const std::string state = left ? left->state_name + " " + left->reason : left.error().text;
    static_cast<void>(cluster_->cancel(*id));
    return tell(
        {"a job on " + job.node, false,
         "no word of it in " + mine_ + " after " + print_span(patience_) + "; Slurm says " + state,
         left && left->state == slurm::JobState::pending
             ? "wait until the node is free, or give it more time"
             : "see that " + options_.shared_directory + " is mounted on " + job.node +
                   " under the same name, for the same user"});
  }

  bool judge(const std::string& node, const std::string& answer, Span seen) {
    const std::size_t first = answer.find(' ');
    const std::size_t second = answer.find(' ', first + 1);
    const std::size_t third = std::min(answer.find(' ', second + 1), answer.size());
    const auto user = parse_integer(answer.substr(0, first));
    const auto clock = parse_integer(answer.substr(first + 1, second - first - 1));
    const std::string missing = answer.substr(second + 1, third - second - 1);
    if (!user || !clock || *clock < 0 || *clock > 10'000'000'000'000)
      return tell({"a job on " + node, false, "its answer cannot be read", "see " + mine_});
    tell({"a job on " + node, true, "it ran, and its word is seen here", {}});
    const bool is_same = *user == static_cast<std::int64_t>(::geteuid());
    tell({"user", is_same, "the job ran as user " + std::to_string(*user),
          "run suan as that user, or give slurm.user that of this process"});
    tell({"programs on " + node, missing == "none",
          missing == "none" ? "bash, setsid, stat, mv and mkdir are there"
                            : "there is no " + missing,
          "install bash, coreutils and util-linux on the nodes"});
    // Seen at most one look later than it was written.
    const Span difference = seen - milliseconds(*clock);
    const Span off = difference < Span{} ? Span{} - difference : difference;
    return tell({"clock of " + node, off < clock_difference_max,
                 "within " + print_milliseconds(off) + " of this machine's",
                 "run chrony or ntpd on both"});
  }

  const SlurmDocument& slurm_;
  slurm::SlurmEngineOptions options_;
  std::unique_ptr<slurm::Cluster> cluster_;
  Callback<void(const Check&)>& tell_;
  Span patience_;
  bool are_all_held_ = true;
  std::vector<slurm::Node> nodes_;
  slurm::Offer offer_;
  std::string mine_;
};

// Each store is looked into, with what its description says.
bool check_stores(const SiteFile& file, Callback<void(const Check&)>& tell) {
  const auto house = engine::open_stores(file.document.stores.value_or(""));
  if (!house) {
    tell({"stores", false, house.error().text,
          "see that rclone is installed and reads " + house.error().place});
    return false;
  }
  tell({"stores", true, engine::describe_stores(*house), {}});
  bool are_all_there = true;
  for (const engine::Store& store : house->stores) {
    constexpr std::size_t list_bytes_max = 16 << 20U;
    const auto said = engine::ask_program(
        {house->program, "lsd", "--config", house->configuration, "--contimeout", "10s",
         "--retries", "1", "--low-level-retries", "1", "--", store.name + ":"},
        list_bytes_max);
    are_all_there = are_all_there && said.has_value();
    tell({"store " + store.name, said.has_value(), said ? "it can be listed" : said.error().text,
          "correct its section in " + house->configuration});
  }
  return are_all_there;
}

bool check_local(const SiteFile& file, Callback<void(const Check&)>& tell) {
  const engine::Discovery found = engine::discover({});
  const std::int64_t cores = found.pool.cpu_milli_per_node / 1000;
  const bool has_cores = !file.document.cores || *file.document.cores <= cores;
  tell({"cores", has_cores, std::to_string(cores) + " can be offered",
        "lower `cores` in the site file"});
  const std::string cards = found.pool.cards_per_node > 0
                                ? std::to_string(found.pool.cards_per_node) + " " + found.pool.chip
                                : "none were found";
  tell({"cards", true, cards, {}});
  const bool has_bash = ::access("/bin/bash", X_OK) == 0 || ::access("/usr/bin/bash", X_OK) == 0;
  tell({"bash", has_bash, has_bash ? "it is there" : "it is not there", "install bash"});
  return has_cores && has_bash;
}

}  // namespace

bool check_site(const SiteFile& file, Callback<void(const Check&)> tell, Span job_patience) {
  tell(Check{"file", true, file.path + " is right in itself", {}});
  if (file.engine() == EngineKind::none) return true;
  const bool has_stores = check_stores(file, tell);
  const bool holds = file.engine() == EngineKind::local
                         ? check_local(file, tell)
                         : SlurmChecking(file, tell, job_patience).run();
  return holds && has_stores;
}

std::string print_check(const Check& check) {
  std::string text = (check.holds ? "ok    " : "FAIL  ") + check.name + ": " + check.text + "\n";
  if (!check.holds) text += "      try: " + check.remedy + "\n";
  return text;
}

}  // namespace suan::site
