#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/spec.h"
#include "spec/forms.h"
#include "wire/json_reader.h"

/// run.yaml as it is written: every field that the specification has, also those that this domain
/// does not honour yet and therefore refuses by name. Absent means not given.
namespace suan::spec {

inline constexpr std::array<std::string_view, 1> versions{"2026-11"};
inline constexpr std::array<std::string_view, 3> spot_policies{"auto", "on-demand", "spot"};
inline constexpr std::array<std::string_view, 3> retry_events{"no-capacity", "interruption",
                                                              "site-lost"};
inline constexpr std::array<std::string_view, 1> reconciliations{"fence_old"};
inline constexpr std::array<std::string_view, 1> stages{"before_start"};
inline constexpr std::array<std::string_view, 2> windows{"cheapest", "greenest"};
inline constexpr std::array<std::string_view, 2> output_times{"success", "always"};

inline constexpr std::array<std::string_view, 4> levels{"switch", "supernode", "zone", "site"};

/// How close together the nodes of a gang are to be.
struct TopologyDocument {
  std::optional<std::string> required;
  std::optional<std::string> preferred;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "required", self.required, "All nodes within one: site.");
    visit(2, "preferred", self.preferred, "The same if it can be, else apart: site.");
  }
};

struct ResourcesDocument {
  std::optional<Wishes> accelerators;
  std::optional<CpuRange> cpus;
  std::optional<MemoryRange> memory;
  std::optional<ByteSize> disk_size;
  std::optional<Unhonoured> shm_size;
  std::optional<NetworkTier> network_tier;
  std::optional<TopologyDocument> topology;

  static constexpr bool omits_absent = true;
  static constexpr std::array aliases{wire::Alias{"gpus", "accelerators"},
                                      wire::Alias{"mem", "memory"},
                                      wire::Alias{"disk", "disk_size"}};

  static void fields(auto&& visit, auto& self) {
    visit(1, "accelerators", self.accelerators, "Cards on each node, or the choices.");
    visit(2, "cpus", self.cpus, "Of each node.");
    visit(3, "memory", self.memory, "Of each node.");
    visit(4, "disk_size", self.disk_size, "Of each node.");
    visit(5, "shm_size", self.shm_size);
    visit(6, "network_tier", self.network_tier, "The least that is good enough.");
    visit(7, "topology", self.topology, "Without it a gang is in one pool.");
  }
};

struct VariantDocument {
  std::optional<Wish> accelerators;
  std::optional<std::string> image;
  std::optional<std::string> setup;
  std::optional<std::string> run;
  std::map<std::string, EnvText> envs;

  static constexpr bool omits_absent = true;
  static constexpr std::array aliases{wire::Alias{"gpus", "accelerators"},
                                      wire::Alias{"env", "envs"}};

  static void fields(auto&& visit, auto& self) {
    visit(1, "accelerators", self.accelerators, "On which chip.");
    visit(2, "image", self.image, "Instead of the job's.");
    visit(3, "setup", self.setup, "Instead of the job's.");
    visit(4, "run", self.run, "Instead of the job's.");
    visit(5, "envs", self.envs, "Added to the job's; these win.");
  }
};

struct WhereDocument {
  std::optional<std::string> near;
  std::optional<Word<circles>> circle;
  std::optional<Span> max_rtt;
  std::optional<Unhonoured> min_bandwidth;
  std::vector<std::string> regions;
  std::vector<std::string> exclude_regions;
  std::vector<std::string> sites;
  std::optional<std::string> data_residency;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "near", self.near, "A city, a site, or latitude,longitude; alone: its region.");
    visit(2, "circle", self.circle, "Around near: 1, 5 or 20 ms one way.");
    visit(3, "max_rtt", self.max_rtt, "The longest round trip to near.");
    visit(4, "min_bandwidth", self.min_bandwidth);
    visit(5, "regions", self.regions, "Only these: ISO 3166-2 in lower case, such as cn-sh.");
    visit(6, "exclude_regions", self.exclude_regions, "Never these.");
    visit(7, "sites", self.sites, "Only these.");
    visit(8, "data_residency", self.data_residency, "Only under this region: cn, cn-sh.");
  }
};

struct PriceDocument {
  std::optional<Money> max_hourly_cost;
  std::optional<Money> budget;
  std::optional<Word<spot_policies>> spot_policy;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "max_hourly_cost", self.max_hourly_cost, "The whole job, all nodes.");
    visit(2, "budget", self.budget, "A hard cap.");
    visit(3, "spot_policy", self.spot_policy,
          "spot: at the spot price, stopped when other work needs its place.");
  }
};

struct TrustDocument {
  std::optional<Unhonoured> signed_by;
  std::optional<Unhonoured> min_reliability;
  std::optional<Unhonoured> min_bench;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "signed_by", self.signed_by);
    visit(2, "min_reliability", self.min_reliability);
    visit(3, "min_bench", self.min_bench);
  }
};

struct EnergyDocument {
  std::optional<std::int64_t> max_carbon;
  std::optional<Unhonoured> prefer;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "max_carbon", self.max_carbon, "g/kWh of the grid × PUE, when it starts.");
    visit(2, "prefer", self.prefer);
  }
};

struct StartDocument {
  std::optional<Moment> not_before;
  std::optional<Moment> deadline;
  std::optional<Word<windows>> window;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "not_before", self.not_before, "It waits until then.");
    visit(2, "deadline", self.deadline, "The latest moment to start.");
    visit(3, "window", self.window, "The hour to wait for, up to the deadline.");
  }
};

struct RetryDocument {
  std::vector<Word<retry_events>> on_events;
  std::optional<Span> duration;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "on_events", self.on_events, "A job always waits for capacity.");
    visit(2, "duration", self.duration, "Give up this long after submission.");
  }
};

struct InputDocument {
  std::optional<std::string> source;
  std::optional<std::string> checksum;
  std::optional<Word<stages>> stage;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "source", self.source, "An http or https URL, or STORE:path.");
    visit(2, "checksum", self.checksum, "sha256:HEX, of a source that is one file.");
    visit(3, "stage", self.stage);
  }
};

struct OutputDocument {
  std::optional<std::string> to;
  std::optional<Word<output_times>> when;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "to", self.to, "STORE:path; each attempt gets a directory of its own below it.");
    visit(2, "when", self.when, "After exit code 0 (success), or however it ended.");
  }
};

struct CheckpointDocument {
  std::optional<std::string> path;
  std::optional<SignalNotice> signal;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "path", self.path, "The job finds it in SUAN_CHECKPOINT_PATH.");
    visit(2, "signal", self.signal, "Sent before a foreseen stop.");
  }
};

struct PartitionDocument {
  std::optional<Span> lost_after;
  std::optional<bool> replace;
  std::optional<Word<reconciliations>> reconcile;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "lost_after", self.lost_after, "Unreachable for this long means lost.");
    visit(2, "replace", self.replace, "Start again elsewhere once the old one must have stopped.");
    visit(3, "reconcile", self.reconcile);
  }
};

struct QueueDocument {
  std::optional<Priority> priority;
  std::optional<Unhonoured> after;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "priority", self.priority);
    visit(2, "after", self.after);
  }
};

struct SpecDocument {
  std::optional<Word<versions>> version;
  std::optional<std::string> name;
  std::optional<std::string> project;
  std::optional<JobKind> kind;
  std::optional<std::int64_t> num_nodes;
  std::optional<std::int64_t> array;
  std::optional<std::int64_t> replicas;
  std::optional<ResourcesDocument> resources;
  std::vector<VariantDocument> variants;
  std::optional<WhereDocument> where;
  std::optional<PriceDocument> price;
  std::optional<TrustDocument> trust;
  std::optional<EnergyDocument> energy;
  std::optional<StartDocument> start;
  std::optional<Objective> objective;
  std::optional<std::string> image;
  std::map<std::string, InputDocument> inputs;
  std::map<std::string, OutputDocument> outputs;
  std::optional<PackedWorkdir> workdir;
  std::map<std::string, EnvText> envs;
  std::optional<Unhonoured> secrets;
  std::optional<std::string> setup;
  std::optional<std::string> run;
  std::optional<Unhonoured> ports;
  std::optional<Span> max_duration;
  std::optional<Unhonoured> autostop;
  std::optional<RetryDocument> retry;
  std::optional<CheckpointDocument> checkpoint;
  std::optional<PartitionDocument> partition;
  std::optional<QueueDocument> queue;

  static constexpr bool omits_absent = true;
  static constexpr std::array aliases{wire::Alias{"nodes", "num_nodes"},
                                      wire::Alias{"env", "envs"}};

  static void fields(auto&& visit, auto& self) {
    visit(1, "version", self.version, "Of this format.");
    visit(2, "name", self.name, "For people: letters, digits, dots, dashes, underscores.");
    visit(3, "project", self.project, "Who pays.");
    visit(4, "kind", self.kind);
    visit(5, "num_nodes", self.num_nodes, "The job starts on all its nodes or on none.");
    visit(6, "array", self.array, "So many independent elements.");
    visit(7, "replicas", self.replicas, "Of a service.");
    visit(8, "resources", self.resources, "Of each node.");
    visit(9, "variants", self.variants, "The same work on other chips.");
    visit(10, "where", self.where);
    visit(11, "price", self.price);
    visit(12, "trust", self.trust);
    visit(13, "energy", self.energy);
    visit(14, "start", self.start);
    visit(15, "objective", self.objective);
    visit(16, "image", self.image, "A directory or archive that the domain keeps.");
    visit(17, "inputs", self.inputs, "By directory: data that is there before it starts.");
    visit(18, "outputs", self.outputs, "By directory: data that is kept when it has ended.");
    visit(19, "workdir", self.workdir, "A directory in which the work starts.");
    visit(20, "envs", self.envs, "The environment of setup and run.");
    visit(21, "secrets", self.secrets);
    visit(22, "setup", self.setup, "bash, before run.");
    visit(23, "run", self.run, "bash -eo pipefail; the only field that must be there.");
    visit(24, "ports", self.ports);
    visit(25, "max_duration", self.max_duration, "Of running.");
    visit(26, "autostop", self.autostop);
    visit(27, "retry", self.retry, "When a task that did not end by itself is tried again.");
    visit(28, "checkpoint", self.checkpoint);
    visit(29, "partition", self.partition, "For the time when a site cannot be reached.");
    visit(30, "queue", self.queue);
  }
};

}  // namespace suan::spec
