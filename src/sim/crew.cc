#include "sim/crew.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"

namespace suan::sim {

namespace {

constexpr time_t seconds_of_a_seed_max = 300;  // Of processor time: the machine may be busy.
constexpr std::size_t text_max = 2000;

/// What a worker writes for every seed: once before it, once after it.
struct Message {
  std::uint64_t seed = 0;
  bool is_begin = false;
  bool has_objection = false;
  Digest end_hash;
  std::uint64_t numbers[5] = {};
  char auditor[64] = {};
  char text[text_max] = {};
  Coverage coverage;
};

struct Worker {
  Errand errand;  // What is left of it.
  pid_t pid = -1;
  int pipe = -1;
  int words = -1;  // What it said on stderr.
  std::uint64_t seed = 0;
};

void copy_text(char* to, std::size_t size, const std::string& from) {
  std::memcpy(to, from.data(), std::min(size - 1, from.size()));
}

void write_all(int out, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(out, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(3);
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

bool read_all(int in, void* bytes, std::size_t size) {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = ::read(in, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

Message message_of(const Verdict& verdict, const Coverage& coverage) {
  Message message;
  message.seed = verdict.seed;
  message.end_hash = verdict.end_hash;
  message.coverage = coverage;
  message.numbers[0] = verdict.records;
  message.numbers[1] = verdict.events;
  message.numbers[2] = verdict.jobs;
  message.numbers[3] = verdict.restarts;
  message.numbers[4] = static_cast<std::uint64_t>(verdict.lived.us);
  message.has_objection = verdict.objection.has_value();
  if (verdict.objection) {
    copy_text(message.auditor, sizeof(message.auditor), verdict.objection->auditor);
    copy_text(message.text, sizeof(message.text), verdict.objection->text);
  }
  return message;
}

SeedResult result_of(const Message& message) {
  SeedResult result;
  result.verdict.seed = message.seed;
  result.verdict.end_hash = message.end_hash;
  result.verdict.records = message.numbers[0];
  result.verdict.events = message.numbers[1];
  result.verdict.jobs = message.numbers[2];
  result.verdict.restarts = message.numbers[3];
  result.verdict.lived.us = static_cast<std::int64_t>(message.numbers[4]);
  result.coverage = message.coverage;
  if (message.has_objection) result.verdict.objection = Objection{message.auditor, message.text};
  return result;
}

// Ends this process after so much processor time; 0 = never.
void limit_time(time_t seconds) {
  const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  ::setitimer(ITIMER_PROF, &limit, nullptr);
}

[[noreturn]] void work(const Scenario& scenario, const Errand& errand, int out) {
#ifdef SUAN_PLANTED
  planted_bug = errand.bug;
#endif
  for (std::uint64_t i = 0; i < errand.count; ++i) {
    Message begin;
    begin.seed = errand.first + i;
    begin.is_begin = true;
    write_all(out, &begin, sizeof(begin));
    limit_time(seconds_of_a_seed_max);
    Coverage coverage;
    Verdict verdict = run_network(scenario, begin.seed, coverage);
    if (errand.twice && !verdict.objection) {
      Coverage again;
      const Verdict second = run_network(scenario, begin.seed, again);
      if (second.end_hash != verdict.end_hash || again.counts != coverage.counts)
        verdict.objection = Objection{"determinism", "the same seed ends elsewhere"};
    }
    limit_time(0);
    const Message message = message_of(verdict, coverage);
    write_all(out, &message, sizeof(message));
    if (verdict.objection && errand.until_found) break;
  }
  ::_exit(0);
}

bool start(Worker& worker, const Scenario& scenario) {
  int ends[2];
  if (::pipe(ends) != 0) return false;
  worker.words = ::memfd_create("words", MFD_CLOEXEC);
  worker.pid = ::fork();
  if (worker.pid == 0) {
    ::close(ends[0]);
    if (worker.words >= 0) ::dup2(worker.words, STDERR_FILENO);
    work(scenario, worker.errand, ends[1]);
  }
  ::close(ends[1]);
  worker.pipe = ends[0];
  return worker.pid > 0;
}

std::string last_words(int words) {
  char text[300] = {};
  const off_t size = ::lseek(words, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(sizeof(text) - 1));
  if (words < 0 || ::pread(words, text, sizeof(text) - 1, from) <= 0) return "";
  std::string line(text);
  while (line.ends_with('\n')) line.pop_back();
  return line.substr(line.rfind('\n') + 1);
}

// What it means that a worker ended in the middle of a seed.
SeedResult result_of_death(const Worker& worker, int status) {
  SeedResult result;
  result.verdict.seed = worker.seed;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  std::string text = last_words(worker.words);
  if (signal == SIGPROF) {
    result.verdict.objection = Objection{"liveness", "the seed does not end"};
  } else if (signal == SIGABRT) {
    result.verdict.objection = Objection{"ensure", text};
  } else {
    result.verdict.objection = Objection{"crash", "signal " + std::to_string(signal) + " " + text};
  }
  return result;
}

}  // namespace

void run_errands(const Scenario& scenario, std::vector<Errand> errands, unsigned width,
                 Callback<bool(const Errand&, const SeedResult&)> done) {
  std::vector<Worker> workers;
  std::size_t next = 0;
  bool goes_on = true;
  const auto end = [&](Worker& worker) {
    int status = 0;
    ::waitpid(worker.pid, &status, 0);
    const bool died = worker.seed != 0 && goes_on;
    Errand rest = worker.errand;
    if (died) {
      rest.count -= std::min(rest.count, worker.seed - rest.first + 1);
      rest.first = worker.seed + 1;
      goes_on = done(worker.errand, result_of_death(worker, status));
    }
    ::close(worker.pipe);
    ::close(worker.words);
    worker = Worker{};
    if (died && goes_on && rest.count > 0 && !rest.until_found) errands.push_back(rest);
  };
  while (goes_on && (next < errands.size() || !workers.empty())) {
    while (next < errands.size() && workers.size() < std::max(1U, width)) {
      workers.push_back(Worker{.errand = errands[next++]});
      ensure(start(workers.back(), scenario));
    }
    std::vector<pollfd> waits;
    for (const Worker& worker : workers) waits.push_back({worker.pipe, POLLIN, 0});
    ::poll(waits.data(), waits.size(), -1);
    for (std::size_t i = 0; i < workers.size() && goes_on; ++i) {
      if (waits[i].revents == 0) continue;
      Message message;
      if (!read_all(workers[i].pipe, &message, sizeof(message))) {
        end(workers[i]);
      } else {
        workers[i].seed = message.is_begin ? message.seed : 0;
        if (!message.is_begin) goes_on = done(workers[i].errand, result_of(message));
      }
    }
    std::erase_if(workers, [](const Worker& worker) { return worker.pid < 0; });
  }
  for (Worker& worker : workers) {
    ::kill(worker.pid, SIGKILL);
    goes_on = false;
    end(worker);
  }
}

}  // namespace suan::sim
