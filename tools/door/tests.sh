# `./run test`: every check, one after another, and what came of each.

passed=0
failed=0
summary=()

# How many tests a log speaks of, so that a check which runs many counts as many.
count_tests() {
  local log=$1 word=$2
  case $word in
    passed)
      awk '/^ *[0-9]+\/[0-9]+ Test .* Passed /{n++} /^ok  /{n++} /^ +Tests +.*[0-9]+ passed/{for(i=1;i<=NF;i++) if($i=="passed") n+=$(i-1)} END{print n+0}' "$log" ;;
    failed)
      awk '/^ *[0-9]+\/[0-9]+ Test .*\*\*\*/{n++} /^FAIL /{n++} END{print n+0}' "$log" ;;
  esac
}

# check NAME COMMAND…: runs it in a process of its own; a failure is noted and the rest goes on.
check() {
  local name=$1 began=$SECONDS status=0 good bad
  shift
  (log_tail_lines=60 quietly "$name" "$@") || status=$?
  good=$(count_tests "build/log/$name.log" passed)
  bad=$(count_tests "build/log/$name.log" failed)
  if ((status == 0)); then
    passed=$((passed + (good > 0 ? good : 1)))
    summary+=("ok    $((SECONDS - began)) s  $name")
  else
    passed=$((passed + good))
    failed=$((failed + (bad > 0 ? bad : 1)))
    summary+=("FAIL  $((SECONDS - began)) s  $name  (build/log/$name.log)")
  fi
  say "${summary[-1]}"
  return "$status"
}

# Says what came of everything; the last line is the one that counts.
close_tests() {
  printf '\n'
  printf '%s\n' "${summary[@]}"
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0 && passed > 0))
}

build_all() { cmake --preset "$1" && ninja -C "build/$1" -j "$build_jobs" "${@:2}"; }

run_ctest() { ctest --test-dir "build/$1" -j "$build_jobs" --timeout 900 --output-on-failure "${@:2}"; }

check_shell() {
  local script status=0
  for script in run .ci/run tools/door/*.sh tests/*.sh console/e2e/run.sh $(git ls-files 'tests/e2e/*.sh' 'bench/*.sh'); do
    bash -n "$script" || status=1
  done
  return "$status"
}

# Rooms whose tests run threads against each other.
thread_rooms() {
  local room
  for room in journal runtime net uplink http server; do
    compgen -G "src/$room/*_test.cc" >/dev/null && printf '%s\n' "$room"
  done
}

test_threads() {
  local rooms
  mapfile -t rooms < <(thread_rooms)
  build_all tsan "${rooms[@]/%/_test}" &&
    GTEST_FILTER='-*PowerCut*:*Flip*' run_ctest tsan -R "^($(IFS='|'; printf '%s' "${rooms[*]}"))\$"
}

smoke_fuzzers() {
  local name status=0
  cmake --preset fuzz && ninja -C build/fuzz -j "$build_jobs" $(fuzzers) || return
  for name in $(fuzzers); do
    if (run_fuzzer "$name" 8); then echo "ok    $name"; else echo "FAIL  $name"; status=1; fi
  done
  return "$status"
}

test_processes() {
  local script status=0
  for script in tests/e2e/test_*.sh tests/e2e/test_*.py; do
    [[ -x $script ]] || continue
    if SUAN_BIN=$root/build/dev/suan timeout 900 "$script"; then echo "ok    $script"; else echo "FAIL  $script"; status=1; fi
  done
  return "$status"
}

# With a state of its own: the domain of whoever runs the tests is left alone.
test_up() {
  local status=0
  SUAN_VAR=$(mktemp -d /tmp/suan-up.XXXXXX) || return
  SUAN_VAR=$SUAN_VAR bash ./run up --once || status=$?
  rm -rf "$SUAN_VAR"
  return "$status"
}

# The promises under faults from many seeds; then whether the auditors would notice if one were broken.
test_simulator() {
  build/release/suan_sim --check --seeds 100 -j "$build_jobs" &&
    build/release/suan_sim --check --network --seeds 20 -j "$build_jobs" &&
    build/release/suan_sim --check --network --scenario examples/scenarios/country --seeds 2 --once -j "$build_jobs"
}

test_planted() { build/release/suan_sim_planted --check --planted -j "$build_jobs"; }

test_console() {
  npm --prefix console run check && npm --prefix console test
}

test_one_room() {
  local room=$1
  compgen -G "src/$room/*_test.cc" >/dev/null || fail "src/$room has no tests" 2
  need "${packages_to_build[@]}" "${packages_to_format[@]}" git
  case $room in  # What its tests run beside themselves.
    slurm | site) need "${packages_to_compare[@]}" "${packages_to_run[@]}" ;;
    engine) need runc "${packages_to_run[@]}" ;;
    net | http) need openssl ;;
  esac
  check format clang-format-19 --dry-run -Werror "src/$room/"*.h "src/$room/"*.cc || true
  if check build-dev build_all dev "${room}_test"; then
    check "$room" run_ctest dev -R "^$room\$" || true
  fi
  close_tests
}

run_tests() {
  if (($# > 0)); then test_one_room "$1"; return; fi
  need "${packages_to_build[@]}" "${packages_to_test[@]}"
  build_console
  need_console_modules
  check format run_format --check || true
  check tidy tools/tidy.py || true
  check shell check_shell || true
  check console-unit test_console || true
  if check build-dev build_all dev; then
    check rooms run_ctest dev || true
    check console-browser env SUAN_BIN="$root/build/dev/suan" bash console/e2e/run.sh || true
    check processes test_processes || true
    check documents tests/docs_commands.py build/dev/suan || true
  fi
  if check build-asan build_all asan; then check memory run_ctest asan -E '^(tidy|embed)$' || true; fi
  check threads test_threads || true
  check fuzzers smoke_fuzzers || true
  if check build-release build_all release suan suan_sim suan_sim_planted bench_core bench_find bench_throughput bench_zones; then
    check simulator test_simulator || true
    check planted test_planted || true
    if check up test_up; then
      check front-door tests/front_door.sh || true
      check network timeout 900 tests/network_door.sh || true
    fi
  fi
  close_tests
}
