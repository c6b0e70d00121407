#pragma once

#include <string>
#include <string_view>

#include "cli/arguments.h"
#include "cli/fault.h"

namespace suan::cli {

inline constexpr std::string_view default_url = "http://127.0.0.1:8901";

/// What `suan login` remembers.
struct Config {
  std::string url = {};
  std::string key = {};
  std::string ca_file = {};

  static void fields(auto&& visit, auto& self) {
    visit(1, "url", self.url);
    visit(2, "key", self.key);
    visit(3, "ca_file", self.ca_file);
  }
};

/// Whom to ask, and as whom.
struct Settings {
  std::string url = {};
  std::string key = {};       // "" = none found.
  std::string key_from = {};  // Where the key was found, for messages: "SUAN_KEY", a path.
  std::string ca_file = {};   // PEM file of the CAs to trust for https; "" = the system's.
};

/// $XDG_CONFIG_HOME/suan/config.json, or ~/.config/…
std::string config_path();

/// $XDG_STATE_HOME/suan, or ~/.local/state/suan: where this user's requests wait.
std::string state_directory();

/// --url, --key, --ca-file; then SUAN_URL, SUAN_KEY, SUAN_CA_FILE; then the config file; then the
/// operator key of a server on this machine, from its state directory (as root also /var/lib/suan).
/// A key is used only with the place it is for: the config's with the config's URL, the operator's
/// with a loopback address.
Outcome<Settings> read_settings(const Arguments&);

/// Writes the config file, mode 0600, whole or not at all. Makes its directory (0700).
Outcome<void> write_config(const Config&);

/// The whole of a small file, at most `bytes_max`; "-" is the open file `in`.
Outcome<std::string> read_file(const std::string& path, std::size_t bytes_max, int in = 0);

/// Writes a new file of mode 0600 in one write, not synced. False when it could not, also when it
/// is there already.
bool write_new_file(const std::string& path, std::string_view text);

/// Makes a directory of mode 0700 and those above it. True if it is there in the end.
bool make_directories(const std::string& path);

}  // namespace suan::cli
