#include <span>
#include <string_view>

#include "cli/cli.h"

#if __has_include("engine/supervisor.h")
#include "engine/supervisor.h"
#define SUAN_HAS_ENGINE
#endif

/// The one binary. What the verbs need is linked in but touched only by the verb that runs.
int main(int argc, char** argv) {
  const std::span<const char* const> typed(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string_view verb = typed.empty() ? std::string_view{} : typed.front();
#ifdef SUAN_HAS_ENGINE
  if (verb == "supervise" && typed.size() == 2) return suan::engine::supervise(typed[1]);
#endif
  suan::cli::Screen screen;
  return suan::cli::main(typed, screen);
}
