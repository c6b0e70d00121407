#!/usr/bin/env bash
# The front door as people treat it: `./run up` twice, its port taken, Ctrl-C, kill -9. Wants
# build/release/suan to be there; keeps its state in a folder of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SUAN_VAR=$(mktemp -d /tmp/suan-front-door.XXXXXX)
export SUAN_VAR
unset SUAN_URL SUAN_KEY
group=

wrong() {
  echo "FAIL  $*"
  cat "$SUAN_VAR"/*.log >&2 || true
  exit 1
}

# The domains of this test, by their state directory.
domains() { pgrep -f "suan serve --state $SUAN_VAR/domain" || true; }

close() {
  local process
  if [[ -n $group ]]; then kill -KILL -- "-$group" 2>/dev/null || true; fi
  for process in $(domains); do kill -TERM "$process" 2>/dev/null || true; done
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

has_said() { grep -q "$2" "$SUAN_VAR/$1.log"; }
is_up_or_gone() { has_said "$1" 'Ctrl-C stops it' || ! kill -0 "$group" 2>/dev/null; }
is_taken() { (exec 7<>/dev/tcp/127.0.0.1/8901) 2>/dev/null; }
is_quiet() { [[ -z $(domains) ]]; }

# begin LOG: a front door in a process group of its own, as a terminal gives it.
begin() {
  : >"$SUAN_VAR/$1.log"
  env --default-signal=INT,QUIT setsid ./run up >"$SUAN_VAR/$1.log" 2>&1 &
  group=$!
  await 300 is_up_or_gone "$1" || true
  has_said "$1" 'Ctrl-C stops it' || wrong "./run up did not come up"
}

# Somebody else has the port, unless it is taken already: then the domain must find another.
python3 -m http.server --bind 127.0.0.1 8901 >/dev/null 2>&1 &
stranger=$!
await 30 is_taken || wrong "nobody has the port"
begin first
[[ $(<"$SUAN_VAR/url") != *:8901 ]] || wrong "the domain says it has a port that was taken"
kill "$stranger" 2>/dev/null || true
wait "$stranger" 2>/dev/null || true
has_said first 'checked' || wrong "the job did not check its result"
echo "ok    it comes up beside a stranger on its port"

./run up >"$SUAN_VAR/second.log" 2>&1 || wrong "the second ./run up failed"
has_said second 'already running' && has_said second "$(<"$SUAN_VAR/url")" ||
  wrong "the second ./run up does not say where the first one is"
[[ $(domains | wc -l) == 1 ]] || wrong "there are two domains"
echo "ok    the second one says where the first one is"

(cd / && "$OLDPWD/run" suan ps -a -o json) | grep -q '"matmul"' || wrong "./run suan does not find the domain"
echo "ok    ./run suan finds the domain"

kill -INT -- "-$group"
status=0
wait "$group" || status=$?
[[ $status == 130 ]] || wrong "after Ctrl-C it exits with $status"
is_quiet || wrong "a domain is left after Ctrl-C"
echo "ok    Ctrl-C stops it"

begin third
kill -KILL "$group"
await 20 is_quiet || wrong "a domain is left after kill -9"
echo "ok    kill -9 leaves no domain"

begin fourth
sleep 1
kill -TERM "$group"
wait "$group" || true
is_quiet || wrong "a domain is left after SIGTERM"
echo "ok    it starts again after kill -9, and SIGTERM stops it"
