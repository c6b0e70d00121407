# `./run up`: a domain on this machine, with its state in var/, and a first job on it.

suan=$root/build/release/suan
domain_process=
demo_job=

# ask URL PATH: the first line of what a server answers; fails when none does.
ask() {
  local place=${1#http://} line
  exec 7<>"/dev/tcp/${place%:*}/${place##*:}" || return
  printf 'GET %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n' "$2" >&7
  read -r -t 5 line <&7 || line=
  exec 7>&-
  printf '%s\n' "$line"
}

# Whether the domain of an earlier or another `./run up` is there.
domain_answers() {
  [[ -f "$var/url" ]] && [[ $(ask "$(<"$var/url")" /readyz 2>/dev/null) == *" 200 "* ]]
}

tell_places() {
  say "console: $(<"$var/url")   (sign in with the key in $var/domain/operator.key)"
  say "program: ./run suan ps, or export SUAN_URL=$(<"$var/url") SUAN_KEY=\$(cat $var/domain/operator.key)"
}

# Lets one `./run up` go on; another is told where the first one's domain is.
claim_domain() {
  mkdir -p "$var"
  exec 9>"$var/up.lock"
  if flock -n 9; then return 0; fi
  domain_answers || say "another ./run up is at work in $root; waiting for it"
  until domain_answers; do
    if flock -w 1 9; then return 0; fi
  done
  say "already running"
  tell_places
  exit 0
}

is_taken() { (exec 7<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# serve PORT: whether a domain that listens there becomes ready.
serve() {
  : >"$var/serve.log"
  # A session of its own, so that Ctrl-C comes to this script first; gone when this script is.
  setpriv --pdeathsig TERM env --default-signal=INT,QUIT setsid \
    "$suan" serve --state "$var/domain" --listen "127.0.0.1:$1" >>"$var/serve.log" 2>&1 9>&- &
  domain_process=$!
  until grep -q ' is ready at ' "$var/serve.log"; do
    if ! kill -0 "$domain_process" 2>/dev/null; then domain_process=; return 1; fi
    sleep 0.05
  done
}

start_domain() {
  rm -f "$var/url"
  # Port 0 is any free one.
  if is_taken 8901 || ! serve 8901; then
    serve 0 || { cat "$var/serve.log" >&2; fail "the domain did not start"; }
  fi
  sed -n 's/.* is ready at \(http:[^ ]*\).*/\1/p' "$var/serve.log" >"$var/url"
  export SUAN_URL SUAN_KEY
  SUAN_URL=$(<"$var/url")
  SUAN_KEY=$(<"$var/domain/operator.key")
  say "the domain is ready at $SUAN_URL"
}

# Ends what this script began, and says with what status it ends.
close_domain() {
  local status=$?
  trap '' INT TERM
  if [[ -n $demo_job ]]; then "$suan" stop "$demo_job" >/dev/null 2>&1 || true; fi
  if [[ -n $domain_process ]]; then
    if [[ -n $demo_job ]]; then await_end "$demo_job" || true; fi
    kill -TERM "$domain_process" 2>/dev/null || true
    wait "$domain_process" 2>/dev/null || true
    rm -f "$var/url"
    say "the domain has stopped"
  fi
  exit "$status"
}

# field NAME: of the JSON object on stdin.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

state_of() { "$suan" ps "$1" -o json | field state; }

# Waits until a job has ended and been settled, a minute at most.
await_end() {
  local tries
  for tries in {1..600}; do
    case $(state_of "$1") in finished | failed | cancelled) return 0 ;; esac
    sleep 0.1
  done
  return 1
}

# has_credit PROJECT: whether it is there with something on its account; 2 when it is not there.
has_credit() {
  "$suan" project list -o json | python3 -c '
import json, sys
found = [p for p in json.load(sys.stdin)["projects"] if p["name"] == sys.argv[1]]
sys.exit(2 if not found else 0 if float(found[0]["available"]) >= 10 else 1)' "$1"
}

need_project() {
  local status=0
  has_credit demo || status=$?
  if ((status == 2)); then "$suan" project create demo >/dev/null; fi
  if ((status != 0)); then
    "$suan" project fund demo 100 --text 'to begin with' >/dev/null
    say "the project demo has 100 CNY to spend"
  fi
}

# show TITLE COMMAND…: what a person would type, and what it says.
show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

run_demo() {
  local spec=(-f examples/matmul/run.yaml -p demo -e "SOURCE=$root/examples/matmul/matmul.cc")
  local PATH=$root/build/release:$PATH
  show suan plan "${spec[@]}"
  printf '\n$ suan run -d -y %s\n' "${spec[*]}"
  demo_job=$(suan run -d -y "${spec[@]}")
  printf '%s\n' "$demo_job"
  show suan logs -f "$demo_job"
  await_end "$demo_job" || fail "$demo_job has not ended"
  show suan why "$demo_job"
  show suan cost "$demo_job"
  if [[ $(state_of "$demo_job") != finished ]]; then
    suan ps "$demo_job" >&2
    suan logs --stderr "$demo_job" >&2
    fail "$demo_job did not finish well"
  fi
  demo_job=
  echo
}

up() {
  local word once='' network=''
  for word in "$@"; do
    case $word in
      --once) once=yes ;;
      --network) network=yes ;;
      *) fail "./run up [--network] [--once]" 2 ;;
    esac
  done
  if [[ -n $network ]]; then up_network ${once:+--once}; fi
  claim_domain
  trap close_domain EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  build_program
  start_domain
  need_project
  run_demo
  tell_places
  say "up, with a first job done, in $SECONDS s"
  if [[ -n $once ]]; then return 0; fi
  say "Ctrl-C stops it"
  wait "$domain_process"
}
