#include "engine/oci_spec.h"

namespace suan::engine::oci {

Config default_config() {
  Config config;
  const std::vector<std::string> capabilities = {
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
      "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
  config.process.capabilities = {
      .bounding = capabilities, .effective = capabilities, .permitted = capabilities};
  config.mounts = {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
  };
  // All devices are taken away, and the runtime gives back those that are no machine's: null, zero,
  // full, random, urandom, tty, the terminals.
  config.linux_part.resources.devices.push_back(
      {.allow = false, .type = "", .major = {}, .minor = {}, .access = "rwm"});
  for (const char* each : {"pid", "ipc", "uts", "mount"})
    config.linux_part.namespaces.push_back({each});
  config.linux_part.masked_paths = {"/proc/acpi",
                                    "/proc/asound",
                                    "/proc/kcore",
                                    "/proc/keys",
                                    "/proc/latency_stats",
                                    "/proc/timer_list",
                                    "/proc/timer_stats",
                                    "/proc/sched_debug",
                                    "/proc/scsi",
                                    "/sys/firmware",
                                    "/sys/devices/virtual/powercap"};
  config.linux_part.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                      "/proc/sysrq-trigger"};
  return config;
}

}  // namespace suan::engine::oci
