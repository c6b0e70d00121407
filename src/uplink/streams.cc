#include "uplink/streams.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include <sodium.h>

#include "wire/json.h"

namespace suan::uplink {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t logs_max = 1024;
constexpr std::size_t piece_bytes_max = api::exec_piece_bytes_max;
constexpr auto comes_within = std::chrono::seconds(15);
constexpr auto asked_again_after = std::chrono::seconds(1);
constexpr auto poll_every = std::chrono::milliseconds(50);

constexpr net::SocketOptions limits{.message_bytes_max = api::exec_message_bytes_max,
                                    .queue_bytes_max = 1U << 20U};

std::string say_end(const std::string& reason, int exit_code = -1) {
  return api::print_exec(
      {.kind = api::ExecKind::end, .bytes = reason.substr(0, 1024), .exit_code = exit_code});
}

OpenStream wanted(StreamKind kind, const member::AttemptPlace& place) {
  OpenStream open;
  open.kind = kind;
  open.unit = {place.key.job, place.unit, place.key.attempt};
  open.index = place.index;
  return open;
}

}  // namespace

std::string Awaited::expect(Arrive arrive, Callback<void()> late) {
  std::array<char, 16> random;
  randombytes_buf(random.data(), random.size());
  std::string id = print_hex({random.data(), random.size()});
  const std::lock_guard lock(mutex_);
  all_.emplace(id, Waiter{std::move(arrive), std::move(late), Steady::now() + comes_within});
  return id;
}

void Awaited::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  all_.erase(id);
}

void Awaited::expire() {
  std::vector<Callback<void()>> late;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    for (auto at = all_.begin(); at != all_.end();) {
      if (at->second.until > now) {
        ++at;
        continue;
      }
      late.push_back(std::move(at->second.late));
      at = all_.erase(at);
    }
  }
  for (auto& call : late) call();
}

void Awaited::accept(const std::string& id, const net::Request& request, net::Responder responder) {
  Arrive arrive;
  {
    const std::lock_guard lock(mutex_);
    const auto at = all_.find(id);
    if (at != all_.end()) {
      arrive = std::move(at->second.arrive);
      all_.erase(at);
    }
  }
  if (arrive) return arrive(request, std::move(responder));
  responder.respond({.status = 404,
                     .content_type = "application/problem+json",
                     .body = R"({"status":404,"code":"stream_unknown","title":"Not Found",)"
                             R"("detail":"nobody waits for that stream"})"});
}

namespace {

/// What has come of a log, between its socket and whoever reads it.
struct RemoteLogState : std::enable_shared_from_this<RemoteLogState> {
  std::mutex mutex;
  net::WebSocket socket;
  std::string id;          // Of the stream that was asked for; "" = none.
  std::uint64_t turn = 0;  // How often one was; what comes of an earlier one is not heard.
  std::string bytes;       // Come and not read yet.
  bool is_all = false;
  bool is_end = false;
  std::optional<Failure> broken;  // Why no more comes, for now.

  void hear(std::uint64_t of_turn, const std::string& text) {
    const auto message = api::parse_exec(text);
    const std::lock_guard lock(mutex);
    if (of_turn != turn) return;
    if (message && message->kind == api::ExecKind::output &&
        bytes.size() + message->bytes.size() <= api::exec_window_bytes) {
      bytes += message->bytes;
      is_all = false;
    } else if (message && message->kind == api::ExecKind::end_input) {
      is_all = true;
    } else if (message && message->kind == api::ExecKind::end) {
      is_end = message->bytes.empty();
      if (!is_end) broken = Failure{Failure::Kind::unavailable, message->bytes, ""};
    } else {
      socket.close(static_cast<int>(CloseCode::bad_frame), "that message does not belong here");
    }
  }
  void leave(std::uint64_t of_turn, const std::string& why) {
    const std::lock_guard lock(mutex);
    if (of_turn != turn) return;
    id.clear();
    socket = {};
    if (!is_end && !broken) broken = Failure{Failure::Kind::unavailable, why, ""};
  }
  void arrive(std::uint64_t of_turn, const net::Request& request, net::Responder responder) {
    const std::lock_guard lock(mutex);
    if (of_turn != turn) return;
    const auto self = shared_from_this();
    socket = responder.upgrade(
        request, limits,
        {.on_message = [self, of_turn](std::string&& text) { self->hear(of_turn, text); },
         .on_close =
             [self, of_turn](const net::SocketEnd& end) {
               self->leave(of_turn, "the log broke off at the member" +
                                        (end.text.empty() ? "" : ": " + end.text));
             }});
  }
};

class RemoteLog final : public member::LogReader {
 public:
  RemoteLog(Asker& asker, Awaited& awaited, const member::AttemptPlace& place,
            member::LogStream stream, std::uint64_t offset)
      : asker_(asker), awaited_(awaited), place_(place), stream_(stream), offset_(offset) {}
  RemoteLog(const RemoteLog&) = delete;
  RemoteLog& operator=(const RemoteLog&) = delete;
  ~RemoteLog() override {
    const std::lock_guard lock(state_->mutex);
    if (!state_->id.empty()) awaited_.forget(state_->id);
    ++state_->turn;
    state_->socket.close();
  }

  Result<Piece> next(std::size_t bytes_max) override {
    const std::lock_guard lock(state_->mutex);
    RemoteLogState& state = *state_;
    if (!state.bytes.empty()) return take(bytes_max);
    if (state.is_end) return Piece{.bytes = "", .is_all = true, .is_end = true};
    if (!state.id.empty()) return Piece{.bytes = "", .is_all = state.is_all, .is_end = false};
    const auto now = Steady::now();
    if (state.broken && (!is_told_ || now < asked_ + asked_again_after)) {
      is_told_ = true;
      return std::unexpected(*state.broken);
    }
    asked_ = now;
    is_told_ = false;
    return open();
  }

 private:
  Piece take(std::size_t bytes_max) {
    RemoteLogState& state = *state_;
    Piece piece;
    piece.bytes = state.bytes.substr(0, bytes_max);
    state.bytes.erase(0, piece.bytes.size());
    offset_ += piece.bytes.size();
    piece.is_all = state.is_all && state.bytes.empty();
    piece.is_end = state.is_end && state.bytes.empty();
    state.socket.send(api::print_exec(
        {.kind = api::ExecKind::allow, .number = static_cast<std::uint32_t>(piece.bytes.size())}));
    return piece;
  }

  // Asks for the stream, from the first byte that has not come.
  Result<Piece> open() {
    OpenStream open = wanted(StreamKind::log, place_);
    open.stream = stream_;
    open.offset = offset_;
    state_->broken.reset();
    state_->is_all = false;
    const std::uint64_t turn = ++state_->turn;
    open.id = awaited_.expect(
        [state = state_, turn](const net::Request& request, net::Responder responder) {
          state->arrive(turn, request, std::move(responder));
        },
        [state = state_, turn] { state->leave(turn, "the member does not answer"); });
    const auto asked = asker_.ask(place_.member, open);
    if (asked) {
      state_->id = open.id;
      return Piece{};
    }
    awaited_.forget(open.id);
    state_->broken = asked.error();
    is_told_ = true;
    return std::unexpected(asked.error());
  }

  Asker& asker_;
  Awaited& awaited_;
  const member::AttemptPlace place_;
  const member::LogStream stream_;
  std::uint64_t offset_;
  Steady::time_point asked_;
  bool is_told_ = false;  // The failure has been told; the next time it is tried again.
  std::shared_ptr<RemoteLogState> state_ = std::make_shared<RemoteLogState>();
};

/// What goes between a command's owner and its socket, which comes later.
struct RemoteExecState : std::enable_shared_from_this<RemoteExecState> {
  explicit RemoteExecState(member::ExecSink& its_sink) : sink(&its_sink) {}

  std::recursive_mutex mutex;  // A call to the sink may lead to one of the Exec.
  member::ExecSink* sink;      // Gone with the Exec, and after the end.
  net::WebSocket socket;
  bool is_open = false;
  std::deque<std::string> unsent;

  void say(const api::ExecMessage& message) {
    const std::lock_guard lock(mutex);
    if (is_open)
      socket.send(api::print_exec(message));
    else
      unsent.push_back(api::print_exec(message));
  }
  void arrive(const net::Request& request, net::Responder responder) {
    const auto self = shared_from_this();
    const std::lock_guard lock(mutex);
    socket = responder.upgrade(
        request, limits,
        {.on_message = [self](std::string&& text) { self->hear(text); },
         .on_close =
             [self](const net::SocketEnd&) {
               self->end({.exit_code = -1, .reason = "the connection to the member broke"});
             }});
    is_open = true;
    for (std::string& message : unsent) socket.send(std::move(message));
    unsent.clear();
    if (sink == nullptr) socket.close();
  }
  void hear(const std::string& text) {
    const auto message = api::parse_exec(text);
    const std::lock_guard lock(mutex);
    if (sink == nullptr) return;
    if (!message)
      return socket.close(static_cast<int>(CloseCode::bad_frame), "that is no message of a shell");
    if (message->kind == api::ExecKind::output)
      sink->on_output(member::LogStream::output, message->bytes);
    else if (message->kind == api::ExecKind::error)
      sink->on_output(member::LogStream::error, message->bytes);
    else if (message->kind == api::ExecKind::taken)
      sink->on_taken(message->number);
    else if (message->kind == api::ExecKind::end)
      end({.exit_code = message->exit_code, .reason = message->bytes});
  }
  void end(const member::ExecEnd& how) {
    const std::lock_guard lock(mutex);
    if (auto* const last = std::exchange(sink, nullptr)) last->on_end(how);
  }
};

class RemoteExec final : public member::Exec {
 public:
  RemoteExec(Awaited& awaited, std::string id, std::shared_ptr<RemoteExecState> state)
      : awaited_(awaited), id_(std::move(id)), state_(std::move(state)) {}
  RemoteExec(const RemoteExec&) = delete;
  RemoteExec& operator=(const RemoteExec&) = delete;
  ~RemoteExec() override {
    awaited_.forget(id_);
    const std::lock_guard lock(state_->mutex);
    state_->sink = nullptr;
    state_->socket.close();
  }
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, piece_bytes_max);
      state_->say({.kind = api::ExecKind::input, .bytes = std::string(piece)});
      bytes.remove_prefix(piece.size());
    }
  }
  void end_input() override { state_->say({.kind = api::ExecKind::end_input}); }
  void allow(std::size_t bytes) override {
    state_->say({.kind = api::ExecKind::allow, .number = static_cast<std::uint32_t>(bytes)});
  }
  void resize(std::uint16_t rows, std::uint16_t columns) override {
    state_->say({.kind = api::ExecKind::resize, .rows = rows, .columns = columns});
  }
  void send_signal(int number) override {
    state_->say({.kind = api::ExecKind::signal, .number = static_cast<std::uint32_t>(number)});
  }

 private:
  Awaited& awaited_;
  const std::string id_;
  const std::shared_ptr<RemoteExecState> state_;
};

}  // namespace

std::unique_ptr<member::LogReader> read_remote_log(Asker& asker, Awaited& awaited,
                                                   const member::AttemptPlace& place,
                                                   member::LogStream stream, std::uint64_t offset) {
  return std::make_unique<RemoteLog>(asker, awaited, place, stream, offset);
}

Result<std::unique_ptr<member::Exec>> run_remote_command(Asker& asker, Awaited& awaited,
                                                         const member::AttemptPlace& place,
                                                         const member::ExecWish& wish,
                                                         member::ExecSink& sink) {
  auto state = std::make_shared<RemoteExecState>(sink);
  state->say({.kind = api::ExecKind::begin,
              .bytes = wire::to_json(api::ExecBegin{.command = wish.command,
                                                    .terminal = wish.has_terminal,
                                                    .rows = wish.rows,
                                                    .columns = wish.columns,
                                                    .term = wish.terminal})});
  OpenStream open = wanted(StreamKind::exec, place);
  open.id = awaited.expect(
      [state](const net::Request& request, net::Responder responder) {
        state->arrive(request, std::move(responder));
      },
      [state] { state->end({.exit_code = -1, .reason = "the member does not answer"}); });
  auto exec = std::make_unique<RemoteExec>(awaited, open.id, state);
  SUAN_CHECK(asker.ask(place.member, open));
  return exec;
}

/// One log and who reads it.
struct LogPump::Log {
  std::unique_ptr<member::LogReader> reader;
  bool is_all_told = false;

  std::mutex mutex;
  net::WebSocket socket;
  std::size_t allowed = api::exec_window_bytes;
  bool is_over = false;
};

LogPump::LogPump(net::Dialler& dialler) : dialler_(dialler), thread_([this] { run(); }) {}

LogPump::~LogPump() {
  stop();
}

void LogPump::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

net::SocketListener LogPump::listener_of(const std::shared_ptr<Log>& log) {
  return {.on_message =
              [log](std::string&& text) {
                const auto message = api::parse_exec(text);
                const std::lock_guard lock(log->mutex);
                if (message && message->kind == api::ExecKind::allow)
                  log->allowed += message->number;
                else
                  log->socket.close(static_cast<int>(CloseCode::bad_frame),
                                    "only `allow` goes here");
              },
          .on_close =
              [log](const net::SocketEnd&) {
                const std::lock_guard lock(log->mutex);
                log->is_over = true;
              }};
}

void LogPump::open(std::unique_ptr<member::LogReader> reader, net::DialOptions options) {
  options.socket = limits;
  auto log = std::make_shared<Log>();
  log->reader = std::move(reader);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    if (logs_.size() >= logs_max)
      return decline_stream(dialler_, std::move(options), "too many logs are being read there");
    const std::lock_guard log_lock(log->mutex);
    log->socket = dialler_.dial(std::move(options), listener_of(log));
    logs_.push_back(log);
  }
  has_work_.notify_all();
}

void LogPump::serve(std::unique_ptr<member::LogReader> reader, const net::Request& request,
                    net::Responder responder) {
  auto log = std::make_shared<Log>();
  log->reader = std::move(reader);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || logs_.size() >= logs_max)
      return decline_stream(request, std::move(responder), "too many streams are open there", -1);
    const std::lock_guard log_lock(log->mutex);
    log->socket = responder.upgrade(request, limits, listener_of(log));
    logs_.push_back(log);
  }
  has_work_.notify_all();
}

// Sends what there is and may be sent. False when it needs no more looking after.
bool LogPump::advance(Log& log) {
  const std::lock_guard lock(log.mutex);
  if (log.is_over) return false;
  while (log.allowed > 0 && log.socket.has_room(api::exec_message_bytes_max)) {
    auto piece = log.reader->next(std::min(log.allowed, piece_bytes_max));
    const bool is_nothing_yet = !piece && piece.error().kind == Failure::Kind::not_found;
    if (!piece && !is_nothing_yet) {
      log.socket.send(say_end(piece.error().text));
      log.socket.close();
      return false;
    }
    if (is_nothing_yet) piece = member::LogReader::Piece{.bytes = "", .is_all = true};
    const bool is_news = !piece->bytes.empty();
    if (is_news) {
      log.allowed -= piece->bytes.size();
      log.socket.send(
          api::print_exec({.kind = api::ExecKind::output, .bytes = std::move(piece->bytes)}));
    }
    if (piece->is_end) {
      log.socket.send(say_end(""));
      log.socket.close();
      return false;
    }
    if (piece->is_all && (is_news || !std::exchange(log.is_all_told, true)))
      log.socket.send(api::print_exec({.kind = api::ExecKind::end_input}));
    if (!is_news || piece->is_all) return true;
  }
  return true;
}

void LogPump::run() {
  while (true) {
    std::list<std::shared_ptr<Log>> turn;
    {
      std::unique_lock lock(mutex_);
      const auto wait = logs_.empty() ? std::chrono::milliseconds(1000) : poll_every;
      has_work_.wait_for(lock, wait);
      if (is_stopping_) return logs_.clear();
      turn = logs_;
    }
    for (const std::shared_ptr<Log>& log : turn) {
      if (advance(*log)) continue;
      const std::lock_guard lock(mutex_);
      logs_.remove(log);
    }
  }
}

void decline_stream(net::Dialler& dialler, net::DialOptions options, const std::string& reason) {
  options.socket = limits;
  net::WebSocket socket = dialler.dial(std::move(options), {});
  socket.send(say_end(reason));
  socket.close();
}

void decline_stream(const net::Request& request, net::Responder responder,
                    const std::string& reason, int exit_code) {
  net::WebSocket socket = responder.upgrade(request, limits, {});
  socket.send(say_end(reason, exit_code));
  socket.close();
}

}  // namespace suan::uplink
