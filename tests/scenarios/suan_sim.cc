#include <span>

#include "sim/simulate.h"

// The simulator alone, for builds that do without the rest of `suan`.
int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return suan::sim::simulate(arguments);
}
