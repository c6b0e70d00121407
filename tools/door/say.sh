# How the front door talks: short lines with the seconds since it began.

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# fail TEXT [EXIT]: ends with one sentence on stderr.
fail() {
  printf 'run: %s\n' "$1" >&2
  exit "${2:-1}"
}

# quietly LOG COMMAND…: runs it with its output in build/log/LOG.log. On a terminal the last line of
# that shows while it runs. When it fails the end of the log is shown, and its status returned.
quietly() {
  local log=build/log/$1.log status=0 shower=
  shift
  mkdir -p build/log
  : >"$log"
  if [[ -t 1 ]]; then
    show_last_line "$log" &
    shower=$!
  fi
  # In the foreground, so that Ctrl-C reaches the command and all it has started.
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if [[ -n $shower ]]; then
    kill "$shower" 2>/dev/null || true
    wait "$shower" 2>/dev/null || true
    printf '\r\033[K'
  fi
  if ((status != 0)); then
    # What went wrong may stand far above the end.
    grep -n -m 12 -A 5 -E '(: Failure|^FAIL|^\[  FAILED  \]|(WARNING|ERROR): [A-Za-z]+Sanitizer|: error: )' \
      <(head -n "-${log_tail_lines:-40}" "$log") >&2 || true
    tail -n "${log_tail_lines:-40}" "$log" >&2
    printf 'run: this failed with %d: %s (all of it: %s)\n' "$status" "$*" "$log" >&2
  fi
  return "$status"
}

show_last_line() {
  local parent=$$ columns
  while sleep 0.5 && kill -0 "$parent" 2>/dev/null; do
    columns=$(tput cols 2>/dev/null || echo 80)
    printf '\r\033[K         %s' "$(tail -n 1 "$1" | tr -d '\r\033' | cut -c "1-$((columns - 12))")"
  done
}
