# `./run up --network`: three levels of domains on this machine, with their state in var/network.

# up_network [--once]: tools/network/up.py takes this process's place.
up_network() {
  need "${packages_to_build[@]}" "${packages_to_compare[@]}"
  # A binary that is there already, for who works on this script.
  if [[ -z ${SUAN_BIN:-} ]]; then build_program; fi
  export SUAN_BIN=${SUAN_BIN:-$suan}
  unset SUAN_URL SUAN_KEY
  mkdir -p "$var"
  exec python3 -u tools/network/up.py "$var/network" --seconds "$SECONDS" "$@"
}
