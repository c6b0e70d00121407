#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/width.h"
#include "engine/supervisor.h"
#include "journal/verify.h"
#if __has_include("server/serve.h")
#include "server/serve.h"
#define SUAN_HAS_SERVER
#endif
#if __has_include("sim/simulate.h")
#include "sim/simulate.h"
#define SUAN_HAS_SIMULATOR
#endif

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

// A journal's own directory, or that of the domain which keeps it.
std::string journal_directory(std::string directory) {
  const auto has_journal = [](const std::string& path) {
    return ::access((path + "/journal.db").c_str(), F_OK) == 0;
  };
  if (!has_journal(directory) && has_journal(directory + "/journal")) directory += "/journal";
  return directory;
}

void print_report(const suan::journal::VerifyReport& report, Screen& screen) {
  const auto count = [](std::uint64_t n, std::string_view what) {
    return std::to_string(n) + " " + std::string(what);
  };
  std::string out = count(report.head.sequence, "records in ") + count(report.batches, "batches, ") +
                    count(report.blobs, "blobs, ") + count(report.heads, "signed heads\n") +
                    "head " + suan::print_digest(report.head.hash) + "\n";
  for (const suan::journal::Finding& finding : report.findings) {
    if (finding.first > 0) {
      out += "records " + std::to_string(finding.first) + " to " + std::to_string(finding.last) + ": ";
    }
    out += suan::cli::plain_line(finding.text);
    if (!finding.place.empty()) out += " (" + suan::cli::plain_line(finding.place) + ")";
    out += "\n";
  }
  if (report.is_sound()) {
    out += report.heads > 0 ? "whole: every record is as it was written\n"
                            : "whole, as far as it goes: without signed heads a cut tail cannot show\n";
  }
  screen.print(out);
}

int verify_journal(Words typed, Screen& screen) {
  auto arguments = suan::cli::parse_arguments(*suan::cli::find_verb("journal"), typed);
  if (!arguments) return fail(arguments.error(), screen);
  suan::journal::VerifySettings settings{.directory = journal_directory(arguments->words[1]),
                                         .heads = std::string(arguments->value("head"))};
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

}  // namespace

int main(int argc, char** argv) {
  const Words typed(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string_view verb = typed.empty() ? std::string_view{} : typed.front();
  if (verb == "supervise" && typed.size() == 2) return suan::engine::supervise(typed[1]);
  Screen screen;
  if (verb == "serve" || verb == "journal" || verb == "simulate") {
    const Words rest = typed.subspan(1);
    if (suan::cli::show_help_if_asked(verb, rest, screen)) return 0;
    if (verb == "journal") return verify_journal(rest, screen);
#ifdef SUAN_HAS_SERVER
    if (verb == "serve") return suan::server::serve(rest);
#endif
#ifdef SUAN_HAS_SIMULATOR
    if (verb == "simulate") return suan::sim::simulate(rest);
#endif
  }
  return suan::cli::main(typed, screen);
}
