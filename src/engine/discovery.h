#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "member/engine.h"

/// What this machine has to offer.
namespace suan::engine {

/// What to leave to the system.
struct Reserve {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// An accelerator, as the driver tells it.
struct Card {
  std::string product;  // "NVIDIA H100 80GB HBM3"
  std::int64_t memory_bytes = 0;
};

struct Discovery {
  member::OfferedPool pool;
  std::vector<std::uint32_t> devices;  // The driver's number of each card of the pool.
  std::vector<std::string> notes;      // For people: what was found and cannot be offered.
};

/// One pool "local" of one node: the hardware threads and the memory that this process may use
/// (affinity, cpusets, control group limits of it and those above), less the reserve, and the
/// accelerators that NVML finds. Loads hwloc's picture of the machine: about 10 ms.
Discovery discover(const Reserve&);

/// The accelerators of NVIDIA's driver in NVML's order, empty without it. `library` is a file name
/// for dlopen(3).
std::vector<Card> find_nvidia_cards(const char* library = "libnvidia-ml.so.1");

/// The id in the catalogue of accelerators of a product as its driver names it; the product's name
/// if it is none of the catalogue's.
std::string chip_of(std::string_view product);

/// Fills in chip, cards and devices. A pool has one chip: of several, the most numerous, and a note
/// on the others. A card that the driver cannot name is not offered.
void offer_cards(const std::vector<Card>&, Discovery&);

/// MemTotal of the text of /proc/meminfo, in bytes; nullopt if it has none.
std::optional<std::int64_t> parse_memory_total(std::string_view meminfo);

/// CPU that a control group's own text allows, in thousandths of a core: of version 2 the text of
/// cpu.max, of version 1 the texts of cpu.cfs_quota_us and cpu.cfs_period_us. nullopt = no limit.
std::optional<std::int64_t> parse_cpu_max(std::string_view cpu_max);
std::optional<std::int64_t> parse_cpu_quota(std::string_view quota_us, std::string_view period_us);

}  // namespace suan::engine
