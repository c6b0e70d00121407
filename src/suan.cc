#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

int serve(Words typed, Screen& screen) {
  const auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("serve"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  suan::server::ServeOptions options;
  options.name = arguments->value("name", options.name);
  options.state_directory = arguments->value("state");
  if (options.state_directory.empty()) options.state_directory = default_state_directory();
  options.heads_file = arguments->value("heads");
  options.images_directory = arguments->value("images");
  options.site = arguments->value("site", options.site);
  options.city = arguments->value("city");
  options.region = arguments->value("region");
  if (arguments->has("listen") && !read_place(arguments->value("listen"), options))
    return fail({Exit::usage, "--listen must be HOST:PORT, such as 127.0.0.1:8901"}, screen);
  options.tls_certificate_file = arguments->value("tls-certificate");
  options.tls_key_file = arguments->value("tls-key");
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty())
    return fail({Exit::usage, "--tls-certificate and --tls-key go together"}, screen);
  const auto cores = suan::cli::number_of(*arguments, "cores", 0, 1, 4096);
  if (!cores) return fail(cores.error(), screen);
  options.cores = *cores;
  for (const auto& [flag, price] :
       {std::pair{"price", &options.core_hour}, {"card-price", &options.card_hour}}) {
    if (!arguments->has(flag)) continue;
    const auto money = suan::parse_money(arguments->value(flag));
    if (!money || *money < suan::Money{})
      return fail({Exit::usage, "--" + std::string(flag) + " must be CNY, such as 0.15"}, screen);
    *price = *money;
  }
  return suan::server::serve(options);
}

// The simulator reads its own flags, of which two are short.
int simulate(Words typed, Screen& screen) {
  const auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("simulate"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  std::vector<std::string> words;
  for (const auto& [name, value] : arguments->flags) {
    const bool is_short = name == "jobs" || name == "output";
    words.push_back(is_short ? "-" + name.substr(0, 1) : "--" + name);
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
  if (verb == "serve" || verb == "journal" || verb == "simulate") {
    const Words rest = typed.subspan(1);
    if (suan::cli::show_help_if_asked(verb, rest, screen)) return 0;
    if (verb == "journal") return verify_journal(rest, screen);
    suan::runtime::restart_with_large_caches(argv);
    if (verb == "serve") return serve(rest, screen);
    return simulate(rest, screen);
  }
  return suan::cli::main(typed, screen);
}
