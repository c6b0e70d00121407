#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/width.h"
#include "engine/companion.h"
#include "engine/supervisor.h"
#include "journal/verify.h"
#include "runtime/memory.h"
#include "server/serve.h"
#include "sim/simulate.h"
#include "site/site_check.h"
#include "site/site_file.h"
#include "site/site_init.h"

// The one binary: parses the verb and hands the rest over. Nothing of a room runs before its verb.

namespace {

using Words = std::span<const char* const>;
using suan::cli::Exit;
using suan::cli::Fault;
using suan::cli::Screen;

int fail(const Fault& fault, Screen& screen) {
  screen.note(suan::cli::print_fault(fault, {}, screen.note_layout()));
  return static_cast<int>(fault.exit);
}

// A mistake in a file, with its place ahead of it, as compilers say it.
Fault to_file_fault(const suan::Failure& failure) {
  return {Exit::usage, failure.place.empty() ? failure.text : failure.place + ": " + failure.text};
}

// What to verify: a journal's own directory, or that of a domain, which keeps its signed heads
// beside the journal.
suan::journal::VerifySettings verification(const std::string& directory, std::string_view heads) {
  const auto is_there = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  suan::journal::VerifySettings settings{.directory = directory, .heads = std::string(heads)};
  if (is_there(directory + "/journal.db") || !is_there(directory + "/journal/journal.db")) {
    return settings;
  }
  settings.directory += "/journal";
  if (heads.empty() && is_there(directory + "/heads")) settings.heads = directory + "/heads";
  return settings;
}

void print_report(const suan::journal::VerifyReport& report, Screen& screen) {
  const auto count = [](std::uint64_t n, std::string_view what) {
    return std::to_string(n) + " " + std::string(what);
  };
  std::string out = count(report.head.sequence, "records in ") +
                    count(report.batches, "batches, ") + count(report.blobs, "blobs, ") +
                    count(report.heads, "signed heads\n") + "head " +
                    suan::print_digest(report.head.hash) + "\n";
  for (const suan::journal::Finding& finding : report.findings) {
    if (finding.first > 0) {
      out +=
          "records " + std::to_string(finding.first) + " to " + std::to_string(finding.last) + ": ";
    }
    out += suan::cli::plain_line(finding.text);
    if (!finding.place.empty()) out += " (" + suan::cli::plain_line(finding.place) + ")";
    out += "\n";
  }
  if (report.is_sound()) {
    out += report.heads > 0
               ? "whole: every record is as it was written\n"
               : "whole, as far as it goes: without signed heads a cut tail cannot show\n";
  }
  screen.print(out);
}

int verify_journal(Words typed, Screen& screen) {
  auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("journal"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  auto settings = verification(arguments->words[1], arguments->value("head"));
  if (arguments->has("public-key")) {
    const auto key = suan::parse_digest(arguments->value("public-key"));
    if (!key) return fail({Exit::usage, "--public-key must be 64 hexadecimal digits"}, screen);
    settings.public_key = key->bytes;
  }
  const auto report = suan::journal::verify(settings);
  if (!report) return fail(suan::cli::to_fault(report.error()), screen);
  print_report(*report, screen);
  return static_cast<int>(report->is_sound() ? Exit::ok : Exit::failure);
}

// Where a domain keeps its state if nobody says: of the system for root, else of the user.
std::string default_state_directory() {
  if (::geteuid() == 0) return "/var/lib/suan";
  if (const char* state = std::getenv("XDG_STATE_HOME")) return std::string(state) + "/suan";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.local/state/suan";
}

// Reads HOST:PORT; false when it is not that.
bool read_place(std::string_view text, suan::server::ServeOptions& options) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto port = suan::parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535) return false;
  options.host = text.substr(0, colon);
  options.port = static_cast<std::uint16_t>(*port);
  return !options.host.empty();
}

// Says of what the site file and a flag both speak, differently; "" if there is no such thing.
std::string find_contradiction(const suan::cli::Arguments& arguments,
                               const suan::site::SiteFile& file,
                               const suan::server::ServeOptions& options) {
  const suan::site::SiteDocument& document = file.document;
  const auto place = document.site.value_or(suan::site::PlaceDocument{});
  const auto prices = document.prices.value_or(suan::site::PricesDocument{});
  const auto differs = [&](const auto& said, const auto& flagged) {
    return said && *said != flagged;
  };
  const bool is_local = file.engine() == suan::site::EngineKind::local;
  const std::array<std::pair<std::string_view, bool>, 8> flags{{
      {"site", differs(place.name, options.site)},
      {"city", differs(place.city, options.city)},
      {"region", differs(place.region, options.region)},
      {"card-price", differs(prices.card_hour, options.card_hour)},
      {"price", differs(prices.core_hour, options.core_hour)},
      {"images", !is_local},
      {"stores", differs(document.stores, options.stores_file) ||
                     file.engine() == suan::site::EngineKind::none},
      {"cores", differs(document.cores, options.cores) || !is_local},
  }};
  for (const auto& [flag, contradicts] : flags)
    if (contradicts && arguments.has(flag))
      return "--" + std::string(flag) + " contradicts " + file.path + "; leave out one of the two";
  return {};
}

// A token in the environment is not seen in the list of processes.
std::expected<suan::server::JoinOptions, Fault> read_join_options(
    const suan::cli::Arguments& arguments) {
  for (const std::string_view flag : {"join-token", "join-ca-file"}) {
    if (arguments.has(flag) && !arguments.has("join"))
      return std::unexpected(Fault{Exit::usage, "--" + std::string(flag) + " goes with --join"});
  }
  const char* token = arguments.has("join") ? std::getenv("SUAN_JOIN_TOKEN") : nullptr;
  auto options = suan::server::make_join_options(
      arguments.values("join"), arguments.value("join-token", token == nullptr ? "" : token),
      arguments.value("join-ca-file"));
  if (!options) return std::unexpected(Fault{Exit::usage, options.error().text});
  return *std::move(options);
}

std::expected<suan::server::ServeOptions, Fault> read_serve_options(
    const suan::cli::Arguments& arguments) {
  suan::server::ServeOptions options;
  options.name = arguments.value("name", options.name);
  options.state_directory = arguments.value("state");
  if (options.state_directory.empty()) options.state_directory = default_state_directory();
  options.heads_file = arguments.value("heads");
  options.images_directory = arguments.value("images");
  options.stores_file = arguments.value("stores");
  options.site = arguments.value("site", options.site);
  options.city = arguments.value("city");
  options.region = arguments.value("region");
  if (arguments.has("listen") && !read_place(arguments.value("listen"), options))
    return std::unexpected(
        Fault{Exit::usage, "--listen must be HOST:PORT, such as 127.0.0.1:8901"});
  options.tls_certificate_file = arguments.value("tls-certificate");
  options.tls_key_file = arguments.value("tls-key");
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty())
    return std::unexpected(Fault{Exit::usage, "--tls-certificate and --tls-key go together"});
  auto join = read_join_options(arguments);
  if (!join) return std::unexpected(join.error());
  options.join = *std::move(join);
  const auto cores = suan::cli::number_of(arguments, "cores", 0, 1, 4096);
  if (!cores) return std::unexpected(cores.error());
  options.cores = *cores;
  for (const auto& [flag, price] :
       {std::pair{"price", &options.core_hour}, {"card-price", &options.card_hour}}) {
    if (!arguments.has(flag)) continue;
    const auto money = suan::parse_money(arguments.value(flag));
    if (!money || *money < suan::Money{})
      return std::unexpected(
          Fault{Exit::usage, "--" + std::string(flag) + " must be CNY, such as 0.15"});
    *price = *money;
  }
  if (!arguments.has("site-file")) return options;
  auto file = suan::site::load_site_file(std::string(arguments.value("site-file")));
  if (!file) return std::unexpected(to_file_fault(file.error()));
  if (std::string said = find_contradiction(arguments, *file, options); !said.empty())
    return std::unexpected(Fault{Exit::usage, std::move(said)});
  suan::server::take_site_file(options, *std::move(file));
  return options;
}

int serve(Words typed, Screen& screen) {
  const auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("serve"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  const auto options = read_serve_options(*arguments);
  if (!options) return fail(options.error(), screen);
  return suan::server::serve(*options);
}

// Never over a file that is there: somebody may have written it.
int write_first_site_file(const suan::cli::Arguments& arguments, Screen& screen) {
  if (arguments.words.size() > 1)
    return fail({Exit::usage, "suan site init takes no file; say -o FILE"}, screen);
  const std::string path(arguments.value("output"));
  const int file = path.empty() ? -1 : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!path.empty() && file < 0)
    return fail({Exit::failure, path + ": " + std::strerror(errno)}, screen);
  const std::string text = suan::site::print_first_site_file(suan::site::look_around());
  if (path.empty()) {
    screen.print(text);
    return 0;
  }
  const bool is_whole =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  if (!is_whole) return fail({Exit::failure, path + ": it could not be written whole"}, screen);
  screen.print("wrote " + path + "; look through it, then: suan site test " + path + "\n");
  return 0;
}

int site(Words typed, Screen& screen) {
  const auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("site"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  if (arguments->words.front() == "init") return write_first_site_file(*arguments, screen);
  if (arguments->words.size() != 2 || arguments->has("output"))
    return fail({Exit::usage, "suan site test takes one FILE and no -o"}, screen);
  const auto file = suan::site::load_site_file(arguments->words[1]);
  if (!file) return fail(to_file_fault(file.error()), screen);
  const bool holds = suan::site::check_site(
      *file, [&](const suan::site::Check& check) { screen.print(suan::site::print_check(check)); });
  return static_cast<int>(holds ? Exit::ok : Exit::failure);
}

// The simulator reads its own flags, of which two are short.
int simulate(Words typed, Screen& screen) {
  const auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("simulate"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  std::vector<std::string> words;
  for (const auto& [name, value] : arguments->flags) {
    const bool is_short = name == "parallel" || name == "output";
    words.push_back(is_short ? (name == "parallel" ? std::string("-j") : std::string("-o"))
                             : "--" + name);
    if (!value.empty()) words.push_back(value);
  }
  std::vector<const char*> views;
  views.reserve(words.size());
  for (const std::string& word : words) views.push_back(word.c_str());
  return suan::sim::simulate(views);
}

}  // namespace

int main(int argc, char** argv) {
  const Words typed(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string_view verb = typed.empty() ? std::string_view{} : typed.front();
  if (verb == "supervise" && typed.size() == 2) return suan::engine::supervise(typed[1]);
  if (verb == "accompany" && typed.size() == 3) return suan::engine::accompany(typed[1], typed[2]);
  Screen screen;
  if (verb == "site" && typed.size() > 1 && std::string_view(typed[1]) == "drain") {
    std::vector<const char*> words(typed.begin() + 1, typed.end());
    words.front() = "site drain";
    return suan::cli::main(words, screen);
  }
  if (verb == "serve" || verb == "journal" || verb == "simulate" || verb == "site") {
    const Words rest = typed.subspan(1);
    if (suan::cli::show_help_if_asked(verb, rest, screen)) return 0;
    if (verb == "journal") return verify_journal(rest, screen);
    if (verb == "site") return site(rest, screen);
    suan::runtime::restart_with_large_caches(argv);
    if (verb == "serve") return serve(rest, screen);
    return simulate(rest, screen);
  }
  return suan::cli::main(typed, screen);
}
