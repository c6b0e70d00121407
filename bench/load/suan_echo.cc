// A server whose route does nothing, to measure what net itself costs: answers every request with a
// small JSON object, on the I/O thread or, with --threaded, from a second thread in bursts.
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/server.h"

namespace {

using namespace suan;

net::Response make_answer(const net::Request& request) {
  net::Response response;
  response.status = 201;
  response.body = R"({"bytes": )" + std::to_string(request.body.size()) + "}\n";
  return response;
}

// Takes what has gathered and answers it in one burst, as a thread that syncs a journal does.
class Answerer {
 public:
  Answerer() : thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

  void add(net::Request&& request, net::Responder responder) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::move(request), std::move(responder));
  }
  void wake() { is_waiting_.notify_one(); }

 private:
  void run(std::stop_token stop) {
    std::vector<std::pair<net::Request, net::Responder>> taken;
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(mutex_);
        is_waiting_.wait(lock, stop, [this] { return !waiting_.empty(); });
        taken.swap(waiting_);
      }
      const net::Burst burst;
      for (auto& [request, responder] : taken) responder.respond(make_answer(request));
      taken.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any is_waiting_;
  std::vector<std::pair<net::Request, net::Responder>> waiting_;
  std::jthread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const bool is_threaded = argc > 1 && std::strcmp(argv[1], "--threaded") == 0;
  Answerer answerer;
  net::Route route = [&](net::Request&& request, net::Responder responder) {
    if (is_threaded)
      answerer.add(std::move(request), std::move(responder));
    else
      responder.respond(make_answer(request));
  };
  const auto server = net::Server::start({}, std::move(route), [&] { answerer.wake(); });
  if (!server) {
    std::fprintf(stderr, "suan_echo: %s\n", server.error().text.c_str());
    return 1;
  }
  std::printf("http://127.0.0.1:%u\n", static_cast<unsigned>((*server)->port()));
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->stop(seconds(1));
  return 0;
}
