#include "cli/settings.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/url.h"
#include "wire/json.h"

namespace suan::cli {

namespace {

constexpr std::size_t config_bytes_max = 64U << 10U;
constexpr std::size_t key_bytes_max = 4096;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : std::string_view{};
}

std::string home() {
  const std::string_view given = environment("HOME");
  if (!given.empty()) return std::string(given);
  const passwd* user = ::getpwuid(::getuid());
  return user && user->pw_dir ? user->pw_dir : "/";
}

std::string base_directory(const char* variable, std::string_view otherwise) {
  const std::string_view given = environment(variable);
  if (given.starts_with('/')) return std::string(given);  // Relative ones are void (XDG).
  return home().append(otherwise);
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::strchr(" \t\r\n", text.back())) text.pop_back();
  return text;
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool is_loopback(std::string_view url) {
  if (url.starts_with("unix:")) return true;
  const auto parsed = net::parse_url(url);
  if (!parsed) return false;
  in_addr address{};
  const bool is_v4 = ::inet_pton(AF_INET, parsed->host.c_str(), &address) == 1;
  return parsed->host == "localhost" || parsed->host == "::1" ||
         (is_v4 && (ntohl(address.s_addr) >> 24U) == 127);
}

Outcome<Config> read_config() {
  const std::string path = config_path();
  if (!is_there(path)) return Config{};
  SUAN_TRY(const std::string text, read_file(path, config_bytes_max));
  auto config = wire::from_json<Config>(text);
  if (config) return *std::move(config);
  Fault wrong = to_fault(std::move(config).error());
  wrong.text = path + ": " + wrong.text;
  wrong.pointer.clear();
  wrong.remedy = "suan login";
  return std::unexpected(std::move(wrong));
}

// The key that a server on this machine made for its operator.
void find_operator_key(Settings& settings) {
  std::string directories[] = {state_directory(), "/var/lib/suan"};
  const bool is_root = ::geteuid() == 0;
  if (is_root) std::swap(directories[0], directories[1]);
  for (const std::string& directory : directories) {
    const std::string path = directory + "/operator.key";
    if (::access(path.c_str(), R_OK) != 0) continue;
    auto key = read_file(path, key_bytes_max);
    if (!key) continue;
    settings.key = trimmed(*std::move(key));
    settings.key_from = path;
    return;
  }
}

}  // namespace

std::string config_path() {
  return base_directory("XDG_CONFIG_HOME", "/.config") + "/suan/config.json";
}

std::string state_directory() {
  return base_directory("XDG_STATE_HOME", "/.local/state") + "/suan";
}

Outcome<Settings> read_settings(const Arguments& arguments) {
  Settings settings;
  settings.url = arguments.value("url", environment("SUAN_URL"));
  settings.key = arguments.value("key", environment("SUAN_KEY"));
  settings.key_from = arguments.has("key") ? "--key" : "SUAN_KEY";
  settings.ca_file = arguments.value("ca-file", environment("SUAN_CA_FILE"));
  if (settings.url.empty() || settings.key.empty()) {
    SUAN_TRY(Config config, read_config());
    if (settings.url.empty()) settings.url = config.url;
    if (settings.ca_file.empty() && settings.url == config.url) {
      settings.ca_file = std::move(config.ca_file);
    }
    if (settings.key.empty() && !config.key.empty() && settings.url == config.url) {
      settings.key = std::move(config.key);
      settings.key_from = config_path();
    }
  }
  if (settings.url.empty()) settings.url = default_url;
  while (settings.url.ends_with('/')) settings.url.pop_back();
  if (settings.key.empty() && is_loopback(settings.url)) find_operator_key(settings);
  if (settings.key.find_first_of(" \t\r\n") != std::string::npos) {
    return fault(Exit::usage, "the key in " + settings.key_from + " has white space in it");
  }
  return settings;
}

Outcome<void> write_config(const Config& config) {
  const std::string path = config_path();
  const std::string draft = path + "." + std::to_string(::getpid());
  const bool done = make_directories(path.substr(0, path.rfind('/'))) &&
                    (::unlink(draft.c_str()) == 0 || errno == ENOENT) &&
                    write_new_file(draft, wire::to_json(config) + "\n") &&
                    std::rename(draft.c_str(), path.c_str()) == 0;
  if (!done) return fault(Exit::failure, "cannot write " + path + ": " + std::strerror(errno));
  return {};
}

Outcome<std::string> read_file(const std::string& path, std::size_t bytes_max, int in) {
  const bool is_stdin = path == "-";
  const int file = is_stdin ? in : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  ssize_t got = file < 0 ? -1 : 1;
  while (got > 0 && text.size() <= bytes_max) {
    const std::size_t used = text.size();
    text.resize(used + 16384);
    got = ::read(file, text.data() + used, 16384);
    text.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  const int error = errno;
  if (file >= 0 && !is_stdin) ::close(file);
  if (got < 0) return fault(Exit::usage, "cannot read " + path + ": " + std::strerror(error));
  if (text.size() > bytes_max) {
    return fault(Exit::usage, path + " is larger than " + std::to_string(bytes_max) + " bytes");
  }
  return text;
}

bool write_new_file(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const bool done = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  if (!done) ::unlink(path.c_str());
  return done;
}

bool make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return true;
  const std::size_t slash = path.rfind('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return false;
  return make_directories(path.substr(0, slash)) &&
         (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST);
}

}  // namespace suan::cli
