#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/money.h"
#include "base/time.h"
#include "model/attempt.h"
#include "model/ids.h"

/// What somebody asks for: run.yaml after reading, checking and defaulting. Sizes are bytes, cores
/// and cards are thousandths, so shares are exact.
namespace suan {

enum class JobKind : std::uint8_t { batch, service };
enum class Priority : std::uint8_t { normal, low, high };
enum class Objective : std::uint8_t { cost, finish, carbon, balanced };
/// Which hour between now and the deadline work waits for.
enum class Window : std::uint8_t { none, cheapest, greenest };
enum class NetworkTier : std::uint8_t { standard, rdma, best };

/// Circles of latency (时延圈), the narrow ones first; `none` bounds nothing.
enum class Circle : std::uint8_t { none, city, region, national };
inline constexpr std::array<std::string_view, 3> circles{"city", "region", "national"};

/// An amount with a lower and an upper bound; `most` 0 means no upper bound.
struct Bounds {
  std::int64_t least = 0;
  std::int64_t most = 0;

  friend bool operator==(const Bounds&, const Bounds&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "least", self.least);
    visit(2, "most", self.most);
  }
};

/// One way to do the work: so many cards of a chip on each node. A variant may bring a payload of
/// its own (another image, script or environment for that chip); 0 = the job's.
struct Alternative {
  std::string chip;             // Chip model; "" = no accelerators.
  std::int64_t card_milli = 0;  // Per node: 8000 = 8 cards; below 1000 = a share of one card.
  PayloadId payload;
  bool runs_image = false;  // The payload has an image.

  friend bool operator==(const Alternative&, const Alternative&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "chip", self.chip);
    visit(2, "card_milli", self.card_milli);
    visit(3, "payload", self.payload);
    visit(4, "runs_image", self.runs_image);
  }
};

/// The place that work shall be near to.
struct Near {
  std::string name;                 // As it was written; "" = nowhere in particular.
  std::int32_t latitude_micro = 0;  // Millionths of a degree, WGS 84.
  std::int32_t longitude_micro = 0;

  bool is_given() const { return !name.empty(); }
  friend bool operator==(const Near&, const Near&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name);
    visit(2, "latitude_micro", self.latitude_micro);
    visit(3, "longitude_micro", self.longitude_micro);
  }
};

/// How far the nodes of a gang may lie apart: in one pool, in pools of one site, or anywhere.
enum class Spread : std::uint8_t { pool, site, network };

/// Where a job may run. Empty lists allow everything. `near` counts with a bound: max_rtt, or a
/// circle; of both the narrower one.
struct Where {
  std::vector<std::string> regions;  // ISO 3166-2, lower case: "cn-sh".
  std::vector<std::string> exclude_regions;
  std::vector<std::string> sites;
  std::string data_residency;  // A prefix of the region: "cn".
  Near near{};
  Span max_rtt{};  // The longest round trip to there; 0 = what the circle says.
  Circle circle = Circle::none;

  friend bool operator==(const Where&, const Where&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "regions", self.regions);
    visit(2, "exclude_regions", self.exclude_regions);
    visit(3, "sites", self.sites);
    visit(4, "data_residency", self.data_residency);
    visit(5, "near", self.near);
    visit(6, "max_rtt", self.max_rtt);
    visit(7, "circle", self.circle);
  }
};

/// The user's choice for the time when a member cannot be reached (DESIGN: a cut).
struct Partition {
  Span lost_after;       // Unreachable for this long means lost. 0 = the domain's default.
  bool replace = false;  // Start another attempt once the old one must have stopped.

  friend bool operator==(const Partition&, const Partition&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "lost_after", self.lost_after);
    visit(2, "replace", self.replace);
  }
};

/// When a task that did not end by itself is tried again.
struct Retry {
  bool on_interruption = false;  // The member stopped it.
  bool on_site_lost = false;     // The member cannot know how it ended.
  Span duration;                 // Give up this long after submission.

  friend bool operator==(const Retry&, const Retry&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "on_interruption", self.on_interruption);
    visit(2, "on_site_lost", self.on_site_lost);
    visit(3, "duration", self.duration);
  }
};

struct JobSpec {
  std::string name;
  ProjectId project;
  JobKind kind = JobKind::batch;
  std::uint32_t nodes = 1;  // The size of the gang: all start or none.
  std::uint32_t elements =
      1;  // Of an array, or replicas of a service: placed one by one. If > 1, nodes = 1.
  Spread spread = Spread::pool;           // If not pool: the elements are a gang, each on a node.
  std::vector<Alternative> alternatives;  // At least one.
  bool is_ordered = false;                // The first alternative that fits wins; else all compete.
  Bounds cpu_milli;     // Per node. least 0 = the node's share by cards, or one core.
  Bounds memory_bytes;  // Per node. least 0 = in proportion to the cores.
  std::int64_t disk_bytes = 0;
  std::int64_t shm_bytes = 0;
  NetworkTier network_tier = NetworkTier::standard;
  Where where;
  Money hourly_max;  // The whole job, all nodes; 0 = no limit.
  Money budget;      // 0 = none.
  Objective objective = Objective::cost;
  Moment not_before;
  Moment deadline;
  Span max_duration;  // 0 = none: the job runs on a rolling hold of one hour.
  Span grace = seconds(30);
  std::string checkpoint_path;
  std::string checkpoint_signal;
  Span checkpoint_notice;
  Partition partition;
  Retry retry;
  Priority priority = Priority::normal;
  PayloadId payload;        // Issued by the journal's blob store; the bytes are sealed there.
  Digest payload_digest;    // Of the payload's plain bytes.
  bool moves_data = false;  // It has inputs, outputs or a working directory.
  std::vector<std::string> stores{};  // That these name, ascending.

  Workdir workdir{};
  std::uint32_t carbon_max = 0;  // g/kWh of the grid × PUE where it runs; 0 = any.
  Window window = Window::none;  // If any, there is a deadline, and `objective` is of its kind.
  bool is_spot = false;  // Pays the spot price, and is stopped when other work needs its place.

  std::uint32_t tasks() const { return nodes * elements; }

  /// Its units are placed one by one, and all start or none.
  bool is_spread() const { return spread != Spread::pool; }
  friend bool operator==(const JobSpec&, const JobSpec&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name);
    visit(2, "project", self.project);
    visit(3, "kind", self.kind);
    visit(4, "nodes", self.nodes);
    visit(5, "elements", self.elements);
    visit(6, "alternatives", self.alternatives);
    visit(7, "is_ordered", self.is_ordered);
    visit(8, "cpu_milli", self.cpu_milli);
    visit(9, "memory_bytes", self.memory_bytes);
    visit(10, "disk_bytes", self.disk_bytes);
    visit(11, "shm_bytes", self.shm_bytes);
    visit(12, "network_tier", self.network_tier);
    visit(13, "where", self.where);
    visit(14, "hourly_max", self.hourly_max);
    visit(15, "budget", self.budget);
    visit(16, "objective", self.objective);
    visit(17, "not_before", self.not_before);
    visit(18, "deadline", self.deadline);
    visit(19, "max_duration", self.max_duration);
    visit(20, "grace", self.grace);
    visit(21, "checkpoint_path", self.checkpoint_path);
    visit(22, "checkpoint_signal", self.checkpoint_signal);
    visit(23, "checkpoint_notice", self.checkpoint_notice);
    visit(24, "partition", self.partition);
    visit(25, "retry", self.retry);
    visit(26, "priority", self.priority);
    visit(27, "payload", self.payload);
    visit(28, "payload_digest", self.payload_digest);
    visit(29, "moves_data", self.moves_data);
    visit(30, "stores", self.stores);
    visit(31, "workdir", self.workdir);
    visit(32, "spread", self.spread);
    visit(33, "window", self.window);
    visit(34, "carbon_max", self.carbon_max);
    visit(35, "is_spot", self.is_spot);
  }
};

}  // namespace suan
