# Building. One object cache serves every clone of the repository on a machine.

export CCACHE_SLOPPINESS=pch_defines,time_macros
export CCACHE_BASEDIR=$root
export CCACHE_NOHASHDIR=1
build_jobs=$(nproc)

# A compiler here takes up to 1 GB.
memory_gb=$(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1000000))
if ((memory_gb < build_jobs)); then build_jobs=$((memory_gb > 1 ? memory_gb : 1)); fi

# build PRESET [TARGET…]: configures if need be and builds, with nothing else building in there.
build() {
  local preset=$1
  shift
  mkdir -p build
  {
    flock 8
    quietly "configure-$preset" cmake --preset "$preset" || return
    quietly "build-$preset" ninja -C "build/$preset" -j "$build_jobs" "$@"
  } 8>"build/$preset.lock"
}

console_sources() {
  find console/src console/index.html console/package.json console/package-lock.json \
    console/tsconfig.json console/vite.config.ts -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

need_console_modules() {
  need_node
  if [[ console/node_modules/.package-lock.json -nt console/package-lock.json ]]; then return 0; fi
  say "fetching what the console is made of"
  quietly npm-ci npm --prefix console ci --no-audit --no-fund ||
    fail "npm could not fetch it; SUAN_NO_CONSOLE=1 builds without the console"
}

# Builds the web console, which the next build of the program embeds.
build_console() {
  local sources
  if [[ -n ${SUAN_NO_CONSOLE:-} ]]; then return 0; fi
  sources=$(console_sources)
  if [[ -f console/dist/index.html && $sources == "$(cat build/console.sources 2>/dev/null)" ]]; then return 0; fi
  need_console_modules
  say "building the console"
  quietly console npm --prefix console run build || fail "the console does not build"
  mkdir -p build
  printf '%s\n' "$sources" >build/console.sources
}

# The program as it is meant to run: build/release/suan.
build_program() {
  need "${packages_to_build[@]}" "${packages_to_run[@]}"
  build_console
  say "building build/release/suan (the log: build/log/build-release.log)"
  build release suan || fail "the program does not build"
}

run_program() {
  if [[ ! -x build/release/suan ]]; then build_program >&2; fi
  if [[ -z ${SUAN_URL:-} ]] && domain_answers; then
    export SUAN_URL
    SUAN_URL=$(<"$var/url")
    if [[ -z ${SUAN_KEY:-} ]]; then export SUAN_KEY; SUAN_KEY=$(<"$var/domain/operator.key"); fi
  fi
  cd "$caller"
  exec "$root/build/release/suan" "$@"
}

run_bench() {
  local name=${1:-}
  [[ $name =~ ^(core|find|throughput|submissions|network|placement)$ ]] || fail "./run bench core, find, throughput, submissions, network or placement" 2
  shift
  need "${packages_to_build[@]}" >&2
  if [[ $name == submissions || $name == network ]]; then
    need "${packages_to_compare[@]}" "${packages_to_bench[@]}" >&2
    build_console >&2
    build release suan suan_load suan_echo bench_zones >&2 || fail "it does not build"
    export SUAN_BIN=$root/build/release/suan
    exec "bench/$name/run.py" "$@"
  fi
  if [[ $name == placement ]]; then
    build release suan_sim >&2 || fail "it does not build"
    exec bench/placement/run.py "$@"
  fi
  build release "bench_$name" >&2 || fail "it does not build"
  exec "build/release/bench_$name" "$@"
}

# Every C++ file of ours.
sources() { git ls-files '*.h' '*.cc'; }

run_format() {
  need "${packages_to_format[@]}" git
  if [[ ${1:-} == --check ]]; then
    sources | xargs clang-format-19 --dry-run -Werror
  else
    sources | xargs clang-format-19 -i
  fi
}

changed_sources() {
  { git diff --name-only --diff-filter=d HEAD -- '*.cc'; git ls-files --others --exclude-standard '*.cc'; } | sort -u
}

run_lint() {
  local files
  need "${packages_to_build[@]}" "${packages_to_lint[@]}" git
  case ${1:-} in
    --all) mapfile -t files < <(git ls-files 'src/*.cc') ;;
    '') mapfile -t files < <(changed_sources) ;;
    *) files=("$@") ;;
  esac
  if ((${#files[@]} == 0)); then say "nothing has changed"; return 0; fi
  mkdir -p build
  quietly configure-dev cmake --preset dev
  # The flags are those of GCC: clang does not know its precompiled header.
  printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$build_jobs" \
    clang-tidy-19 -p build/dev --quiet --extra-arg=-Wno-ignored-gch --extra-arg=-Wno-unknown-warning-option
}

fuzzers() { git ls-files 'src/*_fuzz.cc' | sed 's|.*/||; s|\.cc$||'; }

# run_fuzzer [NAME [SECONDS]]: what it learns is kept in var/fuzz, so the next run goes on from there.
run_fuzzer() {
  local name=${1:-} limit=${2:-60}
  need "${packages_to_build[@]}" "${packages_to_fuzz[@]}" git
  if [[ -z $name ]]; then fuzzers; return 0; fi
  fuzzers | grep -qx "$name" || fail "there is no fuzzer $name; there are: $(fuzzers | tr '\n' ' ')" 2
  build fuzz "$name" || fail "it does not build"
  mkdir -p "$var/fuzz/$name"
  "build/fuzz/$name" -max_total_time="$limit" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$var/fuzz/$name-" "$var/fuzz/$name"
}
