#pragma once

#include <span>
#include <string>

#include "cli/fault.h"
#include "cli/screen.h"
#include "cli/spec_text.h"

namespace suan::cli {

/// Runs a verb that talks to a server, or shows help: everything behind "suan". Returns the exit
/// code. One thread; may install a handler of SIGINT while it follows a job.
int main(std::span<const char* const> typed, Screen& screen);

/// If the words ask for help of their verb (`--help`, `-h`), shows it and returns true: for verbs
/// that read their own flags.
bool show_help_if_asked(std::string_view verb, std::span<const char* const> typed, Screen& screen);

/// "error: …", where it is, and what to try. "" of a fault in which all was said.
std::string print_fault(const Fault&, const SpecText&, const Layout&);

/// What could stand at the last of the words behind "suan", one candidate a line: the word, a tab
/// and what it means. Asks the server for at most 300 ms where only it knows; "" when it cannot.
std::string complete(std::span<const char* const> typed, Screen& screen);

}  // namespace suan::cli
