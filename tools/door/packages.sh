# What has to be installed, for what. Debian 12's own packages; nothing else is fetched but the
# console's, by npm.

packages_to_build=(
  g++ cmake ninja-build ccache mold pkgconf python3 ca-certificates
  libarchive-dev libboost1.81-dev libboost-json1.81-dev libcli11-dev libfmt-dev libgtest-dev
  libhwloc-dev libsodium-dev libsqlite3-dev libssl-dev libyaml-cpp-dev libzstd-dev zlib1g-dev
)
packages_to_run=(rclone)  # Moves the data of jobs.
packages_to_format=(clang-format-19)
packages_to_fuzz=(clang-19 libclang-rt-19-dev)
packages_to_lint=(clang-tidy-19)
packages_to_compare=(  # A real Slurm, beside which submissions are measured and on which jobs run.
  munge slurm-client slurm-wlm-basic-plugins slurm-wlm-jwt-plugin slurmctld slurmd slurmrestd util-linux
)
packages_to_bench=(coinor-libclp-dev)  # Solves what would have been best in hindsight.
packages_to_test=(
  "${packages_to_run[@]}" "${packages_to_format[@]}" "${packages_to_fuzz[@]}" "${packages_to_compare[@]}"
  "${packages_to_bench[@]}" chromium e2fsprogs
  fonts-noto-cjk git iproute2 mount openssl procps runc strace util-linux
)

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || fail "this needs root or sudo: $*"
    sudo "$@"
  fi
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=900 \
    -o Acquire::Retries=3 -q install -y --no-install-recommends "$@"
}

apt_update() {
  as_root apt-get -o DPkg::Lock::Timeout=900 -o Acquire::Retries=3 -q update
}

# The lists may be absent, or name versions that the mirror no longer has.
apt_install_fresh() {
  apt_install "$@" || { apt_update && apt_install "$@"; }
}

# need PACKAGE…: installs those that are missing; most often that is none.
need() {
  local package missing=()
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "only Debian 12 installs by itself; elsewhere have these and change tools/door/packages.sh: $*"
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0
  say "installing ${missing[*]}"
  log_tail_lines=15 quietly install apt_install_fresh "${missing[@]}" || fail "apt could not install them"
}

# Node of whatever origin will do, if it is new enough for the console.
need_node() {
  local version
  version=$(node --version 2>/dev/null || true)
  version=${version#v}
  if [[ -n $version ]] && ((${version%%.*} >= 18)) && command -v npm >/dev/null; then return 0; fi
  need nodejs npm
}
