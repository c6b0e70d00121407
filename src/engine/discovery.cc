#include "engine/discovery.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <hwloc.h>

#include "base/text.h"
#include "engine/cgroup_mounts.h"
#include "engine/file.h"

// hwloc's archive asks libudev for the names of block devices, which are not part of any topology
// loaded here. Saying that there is no udev keeps one more shared library out of the program.
extern "C" {
struct udev;
struct udev_device;
udev* udev_new();
udev* udev_unref(udev*);
udev_device* udev_device_new_from_subsystem_sysname(udev*, const char*, const char*);
udev_device* udev_device_unref(udev_device*);
const char* udev_device_get_property_value(udev_device*, const char*);

udev* udev_new() {
  return nullptr;
}
udev* udev_unref(udev*) {
  return nullptr;
}
udev_device* udev_device_new_from_subsystem_sysname(udev*, const char*, const char*) {
  return nullptr;
}
udev_device* udev_device_unref(udev_device*) {
  return nullptr;
}
const char* udev_device_get_property_value(udev_device*, const char*) {
  return nullptr;
}
}

namespace suan::engine {
namespace {

constexpr std::size_t proc_file_bytes_max = 1 << 20U;

// As NVML names the products of the catalogue, data/accelerators.csv.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> chips = {{
    {"NVIDIA A100-SXM4-80GB", "A100-80G-SXM"},
    {"NVIDIA H100 80GB HBM3", "H100-SXM"},
    {"NVIDIA H800", "H800-SXM"},
    {"NVIDIA H800 80GB HBM3", "H800-SXM"},
    {"NVIDIA H200", "H200-SXM"},
    {"NVIDIA H200 141GB HBM3e", "H200-SXM"},
    {"NVIDIA H20", "H20"},
    {"NVIDIA B200", "B200-SXM"},
    {"NVIDIA L40S", "L40S"},
    {"NVIDIA GeForce RTX 4090", "RTX4090"},
    {"GeForce RTX 4090", "RTX4090"},
}};

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string read_text(const std::string& path) {
  return read_file(AT_FDCWD, path, proc_file_bytes_max).value_or("");
}

void lower(std::int64_t& value, const std::optional<std::int64_t>& limit) {
  if (limit && *limit > 0) value = std::min(value, *limit);
}

// Limits hold all the way up: calls `visit` with the group and each above it that can be seen.
template <class Visit>
void for_each_above(std::string group, Visit visit) {
  while (group.size() > 1) {
    visit(group);
    group.resize(group.rfind('/'));
  }
}

void apply_group_limits(member::OfferedPool& pool) {
  const OwnCgroups own = read_own_cgroups();
  for_each_above(own.v2, [&](const std::string& group) {
    lower(pool.cpu_milli_per_node, parse_cpu_max(first_line(read_text(group + "/cpu.max"))));
    lower(pool.memory_bytes_per_node, parse_integer(first_line(read_text(group + "/memory.max"))));
  });
  for_each_above(own.v1_cpu, [&](const std::string& group) {
    lower(pool.cpu_milli_per_node,
          parse_cpu_quota(first_line(read_text(group + "/cpu.cfs_quota_us")),
                          first_line(read_text(group + "/cpu.cfs_period_us"))));
  });
  for_each_above(own.v1_memory, [&](const std::string& group) {
    lower(pool.memory_bytes_per_node,
          parse_integer(first_line(read_text(group + "/memory.limit_in_bytes"))));
  });
}

struct Topology {
  std::int64_t threads = 0;  // That this process may use.
  std::string text;
};

std::string count(int number, const char* noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

Topology read_topology() {
  Topology found;
  hwloc_topology_t topology = nullptr;
  if (::hwloc_topology_init(&topology) != 0) return found;
  if (::hwloc_topology_load(topology) == 0) {
    hwloc_bitmap_t usable = ::hwloc_bitmap_dup(::hwloc_topology_get_allowed_cpuset(topology));
    hwloc_bitmap_t bound = ::hwloc_bitmap_alloc();
    if (::hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_THREAD) == 0)
      ::hwloc_bitmap_and(usable, usable, bound);
    found.threads = ::hwloc_bitmap_weight(usable);
    ::hwloc_bitmap_free(bound);
    ::hwloc_bitmap_free(usable);
    const auto number = [&](hwloc_obj_type_t type) {
      return std::max(0, ::hwloc_get_nbobjs_by_type(topology, type));
    };
    found.text = count(number(HWLOC_OBJ_PACKAGE), "socket") + ", " +
                 count(number(HWLOC_OBJ_CORE), "core") + ", " +
                 count(number(HWLOC_OBJ_PU), "thread") + ", " +
                 count(number(HWLOC_OBJ_NUMANODE), "NUMA node");
  }
  ::hwloc_topology_destroy(topology);
  return found;
}

// The few declarations of nvml.h (NVML API reference) that are used here; all functions return 0 on
// success.
struct NvmlDevice;
struct NvmlMemory {
  unsigned long long total, free, used;
};

template <class Function>
bool load(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

std::vector<Card> find_nvidia_cards(const char* library) {
  std::vector<Card> cards;
  // Never closed: a driver's library does not expect to be unloaded.
  void* nvml = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (nvml == nullptr) return cards;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*get_count)(unsigned*) = nullptr;
  int (*get_device)(unsigned, NvmlDevice**) = nullptr;
  int (*get_name)(NvmlDevice*, char*, unsigned) = nullptr;
  int (*get_memory)(NvmlDevice*, NvmlMemory*) = nullptr;
  if (!load(nvml, "nvmlInit_v2", init) || !load(nvml, "nvmlShutdown", shutdown) ||
      !load(nvml, "nvmlDeviceGetCount_v2", get_count) ||
      !load(nvml, "nvmlDeviceGetHandleByIndex_v2", get_device) ||
      !load(nvml, "nvmlDeviceGetName", get_name) ||
      !load(nvml, "nvmlDeviceGetMemoryInfo", get_memory) || init() != 0)
    return cards;
  unsigned devices = 0;
  if (get_count(&devices) != 0) devices = 0;
  for (unsigned index = 0; index < devices; ++index) {
    NvmlDevice* device = nullptr;
    std::array<char, 96> name{};
    NvmlMemory memory{};
    // A card that does not answer keeps its place: the indexes are what jobs are given.
    if (get_device(index, &device) == 0) {
      if (get_name(device, name.data(), name.size()) != 0) name[0] = '\0';
      if (get_memory(device, &memory) != 0) memory = {};
    }
    cards.push_back({name.data(), static_cast<std::int64_t>(memory.total)});
  }
  shutdown();
  return cards;
}

std::string chip_of(std::string_view product) {
  for (const auto& [name, chip] : chips)
    if (name == product) return std::string(chip);
  return std::string(product);
}

void offer_cards(const std::vector<Card>& cards, Discovery& found) {
  std::map<std::string, std::vector<std::uint32_t>> devices;
  for (std::uint32_t device = 0; device < cards.size(); ++device)
    devices[chip_of(cards[device].product)].push_back(device);
  for (const auto& [chip, those] : devices) {
    if (chip.empty() || those.size() <= found.devices.size()) continue;
    found.pool.chip = chip;
    found.devices = those;
  }
  found.pool.cards_per_node = static_cast<std::uint32_t>(found.devices.size());
  for (const auto& [chip, those] : devices) {
    if (chip == found.pool.chip) continue;
    found.notes.push_back(std::to_string(those.size()) + " cards of " +
                          (chip.empty() ? "unknown model" : chip) + " are not offered" +
                          (chip.empty() ? "" : ": a pool has cards of one model"));
  }
}

std::optional<std::int64_t> parse_memory_total(std::string_view meminfo) {
  constexpr std::string_view key = "MemTotal:";
  const std::size_t at = meminfo.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view line = first_line(meminfo.substr(at + key.size()));
  while (line.starts_with(' ')) line.remove_prefix(1);
  if (!line.ends_with(" kB")) return std::nullopt;
  const auto kibibytes = parse_integer(line.substr(0, line.size() - 3));
  if (!kibibytes || *kibibytes < 0 || *kibibytes > INT64_MAX / 1024) return std::nullopt;
  return *kibibytes * 1024;
}

std::optional<std::int64_t> parse_cpu_max(std::string_view cpu_max) {
  const std::size_t space = cpu_max.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return parse_cpu_quota(cpu_max.substr(0, space), cpu_max.substr(space + 1));
}

std::optional<std::int64_t> parse_cpu_quota(std::string_view quota_us, std::string_view period_us) {
  const auto quota = parse_integer(quota_us);
  const auto period = parse_integer(period_us);
  if (!quota || !period || *quota <= 0 || *period <= 0 || *quota > INT64_MAX / 1000)
    return std::nullopt;
  return *quota * 1000 / *period;
}

Discovery discover(const Reserve& reserve) {
  Discovery found;
  const Topology topology = read_topology();
  found.pool.name = "local";
  found.pool.topology = topology.text;
  found.pool.cpu_milli_per_node = topology.threads * 1000;
  // Not hwloc's sum over NUMA nodes, which in virtual machines may be wrong.
  found.pool.memory_bytes_per_node = parse_memory_total(read_text("/proc/meminfo")).value_or(0);
  apply_group_limits(found.pool);
  found.pool.cpu_milli_per_node = std::max<std::int64_t>(
      0, found.pool.cpu_milli_per_node - std::max<std::int64_t>(0, reserve.cpu_milli));
  found.pool.memory_bytes_per_node = std::max<std::int64_t>(
      0, found.pool.memory_bytes_per_node - std::max<std::int64_t>(0, reserve.memory_bytes));
  offer_cards(find_nvidia_cards(), found);
  return found;
}

}  // namespace suan::engine
