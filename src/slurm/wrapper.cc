#include "slurm/wrapper.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "engine/process.h"

namespace suan::slurm {
namespace {

constexpr std::size_t line_bytes_max = 512;
constexpr std::size_t control_line_bytes = 96;

constexpr std::array<std::string_view, 12> ends{
    "none",        "exited", "signalled",     "out_of_memory", "cancelled", "timed_out",
    "over_budget", "lapsed", "launch_failed", "lost",          "displaced", "preempted"};

std::optional<AttemptEnd> parse_end(std::string_view name) {
  const auto* at = std::ranges::find(ends, name);
  if (at == ends.end()) return std::nullopt;
  return static_cast<AttemptEnd>(at - ends.begin());
}

std::int64_t milliseconds_of(Span span) {
  return std::max<std::int64_t>((span.us + 999) / 1000, 0);
}

// The words of one line that ends in " ."; empty if it is none.
std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, std::min(line.find('\n'), line_bytes_max));
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    if (blank > 0) words.push_back(line.substr(0, blank));
    line.remove_prefix(std::min(line.size(), blank + 1));
  }
  if (words.empty() || words.back() != ".") return {};
  words.pop_back();
  return words;
}

std::optional<std::int64_t> natural(std::string_view word) {
  constexpr std::int64_t most = std::int64_t{1} << 50;
  const auto number = parse_integer(word);
  if (!number || *number < 0 || *number > most) return std::nullopt;
  return number;
}

std::optional<Usage> usage_of(std::string_view wall, std::string_view cpu, std::string_view peak) {
  constexpr std::int64_t milliseconds_max = std::int64_t{1} << 43;
  const auto wall_ms = natural(wall);
  const auto cpu_ms = natural(cpu);
  const auto peak_kib = natural(peak);
  if (!wall_ms || !cpu_ms || !peak_kib || *wall_ms > milliseconds_max || *cpu_ms > milliseconds_max)
    return std::nullopt;
  return Usage{milliseconds(*wall_ms), milliseconds(*cpu_ms), *peak_kib * 1024};
}

}  // namespace

bool is_identifier(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string print_limits(const Launch& launch) {
  const int signal = launch.checkpoint_signal.empty()
                         ? 0
                         : engine::parse_signal(launch.checkpoint_signal).value_or(0);
  return std::to_string(milliseconds_of(launch.max_duration)) + " " +
         std::to_string(milliseconds_of(launch.grace)) + " " + std::to_string(signal) + " " +
         std::to_string(signal == 0 ? 0 : milliseconds_of(launch.checkpoint_notice)) + " .\n";
}

std::string print_environment(const std::map<std::string, std::string>& variables) {
  std::string text;
  for (const auto& [name, value] : variables) {
    text += "export " + name + "='";
    for (const char c : value) {
      if (c == '\'')
        text += "'\\''";
      else
        text += c;
    }
    text += "'\n";
  }
  return text;
}

std::string print_control(const Control& control) {
  const std::string number = std::to_string(control.number);
  std::string line = number + " " + std::to_string(milliseconds_of(control.run_for)) + " " +
                     std::string(ends[static_cast<std::size_t>(control.stop)]) + " " +
                     std::to_string(milliseconds_of(control.grace)) + " " + number + " .";
  line.resize(control_line_bytes - 1, ' ');
  return line + "\n";
}

std::optional<Control> parse_control(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() != 5 || words[0] != words[4]) return std::nullopt;
  const auto number = natural(words[0]);
  const auto run_for = natural(words[1]);
  const auto stop = parse_end(words[2]);
  const auto grace = natural(words[3]);
  constexpr std::int64_t most = std::int64_t{1} << 43;
  if (!number || !run_for || !stop || !grace || *run_for > most || *grace > most)
    return std::nullopt;
  return Control{static_cast<std::uint64_t>(*number), milliseconds(*run_for), *stop,
                 milliseconds(*grace)};
}

std::optional<StartedWord> parse_started(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() != 2) return std::nullopt;
  const auto job = natural(words[1]);
  if (!job) return std::nullopt;
  return StartedWord{std::string(words[0]), static_cast<std::uint64_t>(*job)};
}

std::optional<Usage> parse_usage(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() != 3) return std::nullopt;
  return usage_of(words[0], words[1], words[2]);
}

std::optional<ExitWord> parse_exit(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() != 9) return std::nullopt;
  ExitWord exit;
  const auto stop = parse_end(words[1]);
  const auto code = natural(words[2]);
  const auto usage = usage_of(words[4], words[5], words[6]);
  if (!stop || !code || *code > 255 || !usage) return std::nullopt;
  const auto flag = [&](std::size_t at, bool& value) {
    value = words[at] == "1";
    return value || words[at] == "0";
  };
  if (!flag(0, exit.has_run) || !flag(3, exit.is_signalled) || !flag(7, exit.was_told) ||
      !flag(8, exit.is_out_of_memory))
    return std::nullopt;
  exit.stop = *stop;
  exit.exit_code = static_cast<std::int32_t>(*code);
  exit.usage = *usage;
  return exit;
}

std::string_view wrapper_script() {
  return R"WRAPPER(#!/bin/bash
# Runs one attempt on a node of Slurm: bash wrapper.sh DIRECTORY. Written by suan; see src/slurm.
LC_ALL=C
umask 077
cd -- "$1" 2>/dev/null || { echo "suan: $1 is not there on $HOSTNAME: it was forgotten, or the node does not see the shared directory" >&2; exit 66; }
key=${1##*/} home=$1
# Whoever makes this directory runs the attempt, or keeps it from running for ever.
if ! mkdir claim 2>/dev/null; then
  [[ -d claim ]] && exit 0
  echo "suan: $1 cannot be written to on $HOSTNAME" >&2
  exit 73
fi

told=0
trap 'told=1' TERM INT HUP XCPU
exec {idle}<> <(:)

# The clock of the node that goes on while it sleeps, in ms.
clock() {
  local up
  read -r up _ </proc/uptime
  [[ $up =~ ^[0-9]+\.[0-9]+$ ]] && now=$((10#${up/./} * 10))
}

# Sets status to what /proc says of a process. As a whole: when one dies between two lines, bash
# cannot go back in its file, and takes what it had read ahead for the start of the next one.
read_status() {
  status=
  read -r -d '' status <"/proc/$1/status"
} 2>/dev/null

# Sets age: how long ago, in ms, control was written, by the clock of the file system.
measure_age() {
  local wrote here
  : >beat
  { read -r wrote && read -r here; } < <(stat -c %.3Y control beat 2>/dev/null)
  age=0
  [[ -n $wrote && -n $here ]] && age=$((10#${here/./} - 10#${wrote/./}))
  ((age >= 0)) || age=0
}

# Takes over what control says, if that is new and whole.
seen=0 run_for=0 lapse_at=0 warn_lapse_at=0 wish=none wish_grace=0
read_control() {
  local first wait why grace last dot
  read -r first wait why grace last dot <control 2>/dev/null || return
  [[ $first == "$last" && $dot == . && $first != "$seen" ]] || return
  seen=$first
  wish=$why wish_grace=$grace
  [[ $why == none ]] || return
  measure_age
  lapse_at=0 warn_lapse_at=0
  ((wait > 0)) || return
  lapse_at=$((now - age + wait))
  ((signal > 0)) && warn_lapse_at=$((lapse_at - (notice < wait / 4 ? notice : wait / 4)))
}

# Fills pids with the work and all that comes of it.
pids=()
walk() {
  local file child children
  pids+=("$1")
  for file in /proc/"$1"/task/*/children; do
    children=
    read -r -d '' children <"$file"
    for child in $children; do walk "$child"; done
  done
} 2>/dev/null
find_pids() {
  pids=()
  [[ -d /proc/$work ]] && walk "$work"
}

send() {
  local pid
  find_pids
  for pid in "${pids[@]}"; do kill "-$1" "$pid"; done
  # Those whose parents are gone.
  command -v pkill >/dev/null && pkill "-$1" -s "$work"
} 2>/dev/null

# Only to those that have a function for it: shells and other programs die of most signals.
send_checkpoint() {
  local pid status
  find_pids
  for pid in "${pids[@]}"; do
    read_status "$pid"
    [[ $status =~ SigCgt:[[:space:]]*([0-9a-f]+) ]] || continue
    (((16#${BASH_REMATCH[1]} >> (signal - 1)) & 1)) && kill "-$signal" "$pid"
  done
} 2>/dev/null

# The highest memory seen of all processes together, in KiB.
peak=0
sample() {
  local pid status sum=0
  find_pids
  for pid in "${pids[@]}"; do
    read_status "$pid"
    [[ $status =~ VmHWM:[[:space:]]*([0-9]+) ]] && sum=$((sum + BASH_REMATCH[1]))
  done
  ((sum > peak)) && peak=$sum
} 2>/dev/null

# Where the job has a control group of its own, that knows better.
oom=0
read_groups() {
  local controllers path group file name value
  while IFS=: read -r _ controllers path; do
    [[ $path == */job_"$SLURM_JOB_ID"* ]] || continue
    path=${path%%/job_"$SLURM_JOB_ID"*}/job_$SLURM_JOB_ID
    case ",$controllers," in
      *,memory,*) group=/sys/fs/cgroup/memory$path ;;
      ,,) group=/sys/fs/cgroup$path ;;
      *) continue ;;
    esac
    for file in memory.peak memory.max_usage_in_bytes; do
      value=0
      read -r value <"$group/$file" && ((value / 1024 > peak)) && peak=$((value / 1024))
    done
    for file in memory.events memory.oom_control; do
      while read -r name value; do
        [[ $name == oom_kill ]] && ((value > 0)) && oom=1
      done <"$group/$file"
    done
  done </proc/self/cgroup
} 2>/dev/null

# User and system time of all processes that were waited for, in ms.
measure_cpu() {
  local user system each
  cpu=0
  times >times.txt
  { read -r _ && read -r user system; } <times.txt
  for each in $user $system; do
    local minutes=${each%m*} rest=${each#*m}
    rest=${rest%s}
    cpu=$((cpu + 10#$minutes * 60000 + 10#${rest/./}))
  done
}

# A full disk is emptied some day; a directory that was deleted never comes back.
wait_for_room() {
  [[ . -ef $home ]] || exit 66
  sleep 1
}

# put NAME WORDS: a file that is whole or not there.
put() {
  until printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"; do wait_for_room; done 2>/dev/null
}

# finish HAS_RUN STOP CODE SIGNALLED: the last act.
finish() {
  put exit "$1 $2 $3 $4 $wall $cpu $peak $told $oom ."
  : >run
  : >env
  [[ -e setup ]] && : >setup
  until : >"../../news/$key.ended"; do wait_for_room; done 2>/dev/null
  exit 0
}

max=0 grace=0 signal=0 notice=0 wall=0 cpu=0
read -r max grace signal notice _ <limits
clock
began=$now
read_control
if [[ $wish != none ]]; then finish 0 "$wish" 0 0; fi
if ((lapse_at > 0 && now >= lapse_at)); then finish 0 lapsed 0 0; fi

export HOME=${HOME:-~}
[[ -n $USER ]] || export USER=${SLURM_JOB_USER:-$(id -un)}
mkdir -p work
(
  trap - TERM INT HUP XCPU
  exec {idle}>&-
  for name in $(compgen -e); do
    case $name in
      SLURM_* | SLURMD_NODENAME | PATH | HOME | USER | LANG | TMPDIR | *_VISIBLE_DEVICES | GPU_DEVICE_ORDINAL | ZE_AFFINITY_MASK) ;;
      *) unset "$name" ;;
    esac
  done
  . ./env
  cd work && exec setsid /bin/bash -eo pipefail ../run
) </dev/null >>stdout 2>>stderr &
work=$!
clock
began=$now
put started "${SLURMD_NODENAME:-$HOSTNAME} ${SLURM_JOB_ID:-0} ."
: >"../../news/$key.started"

max_at=0 warn_max_at=0 terminate_at=0 kill_at=0 stop=none phase=running
if ((max > 0)); then
  max_at=$((began + max))
  ((signal > 0)) && warn_max_at=$((max_at - (notice < max ? notice : max)))
fi

# terminate WHY: SIGTERM now, SIGKILL when the grace is over.
terminate() {
  [[ $stop == none ]] && stop=$1
  phase=terminated
  kill_at=$((now + grace))
  send TERM
}

act() {
  if [[ $wish != none ]]; then
    case $phase in
      running)
        stop=$wish grace=$wish_grace phase=noticed terminate_at=$((now + notice))
        warn_max_at=0 warn_lapse_at=0
        ((signal > 0)) && send_checkpoint
        ;;
      noticed) ((wish_grace < grace)) && grace=$wish_grace ;;
      terminated) ((now + wish_grace < kill_at)) && kill_at=$((now + wish_grace)) ;;
    esac
    wish=none
  fi
  if [[ $phase == terminated ]]; then
    if ((now >= kill_at)); then phase=killed; send KILL; fi
  elif [[ $phase != killed ]]; then
    if [[ $phase == running ]] && ((lapse_at > 0 && now >= lapse_at)); then terminate lapsed
    elif ((max_at > 0 && now >= max_at)); then terminate timed_out
    elif [[ $phase == noticed ]]; then
      ((now >= terminate_at)) && terminate "$stop"
    elif ((warn_max_at > 0 && now >= warn_max_at)); then warn_max_at=0; send_checkpoint
    elif ((warn_lapse_at > 0 && now >= warn_lapse_at)); then warn_lapse_at=0; send_checkpoint
    fi
  elif ((now >= kill_at + 1000)); then
    kill_at=$now
    send KILL
  fi
}

next_sample=$now next_usage=$((now + 5000))
while kill -0 "$work" 2>/dev/null; do
  clock
  read_control
  act
  if ((now >= next_sample)); then
    sample
    next_sample=$((now + (now - began < 5000 ? 500 : 5000)))
  fi
  if ((now >= next_usage)); then
    next_usage=$((now + 5000))
    measure_cpu
    printf '%s\n' "$((now - began)) $cpu $peak ." >usage
  fi
  read -r -t 0.1 -u "$idle"
done
# Before it is waited for, bash says here of what exited with which code; of what died, nothing.
jobs >jobs.txt
wait "$work"
code=$?
clock
wall=$((now - began))
is_signalled=0
((code > 128)) && [[ $(<jobs.txt) != *" Exit "* ]] && is_signalled=1
send KILL
measure_cpu
read_groups
finish 1 "$stop" "$code" "$is_signalled"
)WRAPPER";
}

}  // namespace suan::slurm
