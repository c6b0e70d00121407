#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The parts of an OCI runtime's configuration that are used here (OCI runtime specification 1.0,
/// config.json); the names of the fields are the specification's.
namespace suan::engine::oci {

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "uid", self.uid);
    visit(2, "gid", self.gid);
  }
};

struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> permitted;

  static void fields(auto&& visit, auto& self) {
    visit(1, "bounding", self.bounding);
    visit(2, "effective", self.effective);
    visit(3, "permitted", self.permitted);
  }
};

struct Process {
  bool terminal = false;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  Capabilities capabilities;
  bool no_new_privileges = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "terminal", self.terminal);
    visit(2, "user", self.user);
    visit(3, "args", self.args);
    visit(4, "env", self.env);
    visit(5, "cwd", self.cwd);
    visit(6, "capabilities", self.capabilities);
    visit(7, "noNewPrivileges", self.no_new_privileges);
  }
};

struct Root {
  std::string path;
  bool readonly = false;

  static void fields(auto&& visit, auto& self) {
    visit(1, "path", self.path);
    visit(2, "readonly", self.readonly);
  }
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;

  static void fields(auto&& visit, auto& self) {
    visit(1, "destination", self.destination);
    visit(2, "type", self.type);
    visit(3, "source", self.source);
    visit(4, "options", self.options);
  }
};

struct Namespace {
  std::string type;

  static void fields(auto&& visit, auto& self) { visit(1, "type", self.type); }
};

/// A node that is made in the container's /dev.
struct Device {
  std::string path;
  std::string type;
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint32_t file_mode = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "path", self.path);
    visit(2, "type", self.type);
    visit(3, "major", self.major);
    visit(4, "minor", self.minor);
    visit(5, "fileMode", self.file_mode);
  }
};

/// Without a type and numbers it is about all devices.
struct DeviceRule {
  static constexpr bool omits_absent = true;
  bool allow = false;
  std::string type;
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::string access;

  static void fields(auto&& visit, auto& self) {
    visit(1, "allow", self.allow);
    visit(2, "type", self.type);
    visit(3, "major", self.major);
    visit(4, "minor", self.minor);
    visit(5, "access", self.access);
  }
};

struct Resources {
  std::vector<DeviceRule> devices;

  static void fields(auto&& visit, auto& self) { visit(1, "devices", self.devices); }
};

struct Linux {
  std::string cgroups_path;
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  Resources resources;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;

  static void fields(auto&& visit, auto& self) {
    visit(1, "cgroupsPath", self.cgroups_path);
    visit(2, "namespaces", self.namespaces);
    visit(3, "devices", self.devices);
    visit(4, "resources", self.resources);
    visit(5, "maskedPaths", self.masked_paths);
    visit(6, "readonlyPaths", self.readonly_paths);
  }
};

struct Config {
  std::string oci_version = "1.0.2";
  Process process;
  Root root;
  std::string hostname;
  std::vector<Mount> mounts;
  Linux linux_part;

  static void fields(auto&& visit, auto& self) {
    visit(1, "ociVersion", self.oci_version);
    visit(2, "process", self.process);
    visit(3, "root", self.root);
    visit(4, "hostname", self.hostname);
    visit(5, "mounts", self.mounts);
    visit(6, "linux", self.linux_part);
  }
};

/// Namespaces of its own but for the network; /proc, /dev and a /sys that cannot be written; what
/// tells of the machine or changes it masked; no new privileges and few capabilities: enough for
/// package managers and for programs that change their user, not for devices, networks or other
/// users' processes. The caller fills in the rest.
Config default_config();

}  // namespace suan::engine::oci
