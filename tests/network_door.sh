#!/usr/bin/env bash
# `./run up --network` as people treat it: to its end, beside another one, Ctrl-C, kill -9. Wants
# build/release/suan, or SUAN_BIN, to be there; keeps its state in a folder of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SUAN_VAR=$(mktemp -d /tmp/suan-network.XXXXXX)
export SUAN_VAR SUAN_BIN=${SUAN_BIN:-$PWD/build/release/suan}
unset SUAN_URL SUAN_KEY
group=

wrong() {
  echo "FAIL  $*"
  tail -n 40 "$SUAN_VAR"/*.log >&2 || true
  exit 1
}

# The domains and all of the Slurms that this test has started.
daemons() {
  pgrep -f "$SUAN_VAR/network/" || true
  grep -lzs "^SLURM_CONF=$SUAN_VAR/" /proc/[0-9]*/environ | cut -d / -f 3 || true
}

close() {
  local process
  if [[ -n $group ]]; then kill -KILL -- "-$group" 2>/dev/null || true; fi
  for process in $(daemons); do kill -KILL "$process" 2>/dev/null || true; done
  rm -rf "$SUAN_VAR"
}
trap close EXIT

# await SECONDS COMMAND…: until it succeeds.
await() {
  local tries=$(($1 * 10))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.1
  done
}

has_said() { grep -q -- "$2" "$SUAN_VAR/$1.log"; }
is_gone() { ! kill -0 "$group" 2>/dev/null; }
has_said_or_gone() { has_said "$1" "$2" || is_gone; }
is_quiet() { [[ -z $(daemons) ]]; }

# begin LOG TEXT: a front door in a process group of its own, until it says this.
begin() {
  : >"$SUAN_VAR/$1.log"
  env --default-signal=INT,QUIT setsid ./run up --network >"$SUAN_VAR/$1.log" 2>&1 &
  group=$!
  await 300 has_said_or_gone "$1" "$2" || true
  has_said "$1" "$2" || wrong "./run up --network does not come to say: $2"
}

timeout 300 ./run up --network --once >"$SUAN_VAR/first.log" 2>&1 || wrong "./run up --network --once ends with $?"
has_said first 'all of it holds' || wrong "it does not say that all of it holds"
is_quiet || wrong "something is left of it: $(daemons)"
echo "ok    ten jobs land where they should, a cut site comes back, and nothing is left"

rm -rf "$SUAN_VAR/network/meeting"
begin second 'ten jobs with ten wishes'
await 120 test -e "$SUAN_VAR/network/meeting/1" || wrong "the gang does not begin"
kill -KILL "$group"
wait "$group" 2>/dev/null || true
await 120 is_quiet || wrong "kill -9 leaves $(daemons)"
echo "ok    kill -9 in the middle of a job leaves no domain and no Slurm"

begin third 'Ctrl-C stops it'
has_said third 'is a member of national already' || wrong "it has forgotten who has joined"
./run up --network >"$SUAN_VAR/fourth.log" 2>&1 || wrong "the second ./run up --network failed"
has_said fourth 'already running' || wrong "there are two"
has_said fourth 'national .*operator.key' || wrong "the second ./run up --network does not say where the first one is"
echo "ok    it goes on from what it was, and a second one says where it is"

kill -INT -- "-$group"
status=0
wait "$group" || status=$?
[[ $status == 130 ]] || wrong "after Ctrl-C it ends with $status"
is_quiet || wrong "Ctrl-C leaves $(daemons)"
group=
echo "ok    Ctrl-C stops it"
