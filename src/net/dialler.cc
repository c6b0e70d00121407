#include <thread>
#include <utility>

#include "base/ensure.h"
#include "net/loop.h"
#include "net/socket_session.h"
#include "net/websocket.h"

namespace suan::net {

namespace {

constexpr Span cut_wait = seconds(2);

// Goes with the job that begins to dial: if no session came of that, the listener is told here.
struct Ending {
  explicit Ending(std::shared_ptr<SocketState> of) : state(std::move(of)) {}
  Ending(Ending&&) = default;
  Ending& operator=(Ending&&) = delete;
  ~Ending() {
    if (!state || state->session) return;
    state->end({.kind = SocketEnd::Kind::unreachable, .text = "this side has stopped"});
  }

  std::shared_ptr<SocketState> state;
};

}  // namespace

struct Dialler::Parts {
  ServerOptions options;
  Routing routing;
  Census census;
  std::unique_ptr<Loop> loop;
  std::thread thread;
  bool is_stopped = false;
};

Dialler::Dialler(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Dialler>> Dialler::start() {
  auto parts = std::make_unique<Parts>();
  parts->loop = std::make_unique<Loop>(parts->options, parts->routing, parts->census);
  try {
    parts->thread = std::thread([loop = parts->loop.get()] { loop->run(); });
  } catch (const std::system_error& error) {
    return failure(Failure::Kind::io, std::string("no thread to dial on: ") + error.what());
  }
  return std::unique_ptr<Dialler>(new Dialler(std::move(parts)));
}

Dialler::~Dialler() {
  stop({});
}

WebSocket Dialler::dial(DialOptions options, SocketListener listener) {
  auto state =
      std::make_shared<SocketState>(parts_->loop->mailbox(), options.socket, std::move(listener));
  WebSocket socket(state);
  Census& census = parts_->census;
  census.connections.fetch_add(1);
  parts_->loop->mailbox()->put_job([loop = parts_->loop.get(), asked = std::move(options),
                                    place = Accepted(census, -1, {}, false),
                                    ending = Ending(std::move(state))]() mutable {
    begin_dialled_socket(*loop, std::move(place), std::move(asked), ending.state);
  });
  return socket;
}

void Dialler::post(Callback<void()> job) {
  parts_->loop->mailbox()->put_job(std::move(job));
}

void Dialler::after(Span delay, Callback<void()> job) {
  Loop* const loop = parts_->loop.get();
  post([loop, delay, held = std::move(job)]() mutable { loop->after(delay, std::move(held)); });
}

void Dialler::every(Span period, Callback<void()> job) {
  Loop* const loop = parts_->loop.get();
  post([loop, period, held = std::move(job)]() mutable { loop->every(period, std::move(held)); });
}

std::size_t Dialler::sockets() const {
  return parts_->census.connections.load();
}

void Dialler::stop(Span grace) {
  if (std::exchange(parts_->is_stopped, true)) return;
  ensure(parts_->thread.get_id() != std::this_thread::get_id());
  Loop* const loop = parts_->loop.get();
  Census& census = parts_->census;
  census.connections.fetch_add(1);  // A place held until the loop takes no new ones.
  loop->mailbox()->put_job([loop, &census] {
    loop->begin_stop();
    census.leave();
  });
  if (!census.wait_empty(grace)) {
    loop->mailbox()->put_job([loop] { loop->cut_all(); });
    census.wait_empty(cut_wait);
  }
  loop->mailbox()->close();
  loop->io().stop();
  parts_->thread.join();
}

}  // namespace suan::net
