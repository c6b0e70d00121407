#include "uplink/exec_session.h"

#include <utility>

#include "api/exec.h"
#include "wire/json.h"

namespace suan::uplink {

namespace {

constexpr int code_bad_message = 4400;
constexpr std::size_t reason_bytes_max = 1024;

static_assert(api::exec_window_bytes == member::exec_window_bytes);

constexpr net::SocketOptions limits{.message_bytes_max = api::exec_message_bytes_max,
                                    .queue_bytes_max = 1U << 20U};

}  // namespace

net::SocketListener ExecSession::listener() {
  return {.on_message = [self = shared_from_this()](
                            std::string&& message) { self->hear(std::move(message)); },
          .on_close = [self = shared_from_this()](const net::SocketEnd&) { self->leave(); }};
}

void ExecSession::open(const net::Request& request, net::Responder responder) {
  const std::lock_guard lock(mutex_);  // The first message waits until there is a socket.
  socket_ = responder.upgrade(request, limits, listener());
}

void ExecSession::open(net::Dialler& dialler, net::DialOptions options) {
  options.socket = limits;
  const std::lock_guard lock(mutex_);
  socket_ = dialler.dial(std::move(options), listener());
}

void ExecSession::on_output(member::LogStream stream, std::string_view bytes) {
  const bool is_output = stream == member::LogStream::output;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, api::exec_piece_bytes_max);
    say(api::print_exec({.kind = is_output ? api::ExecKind::output : api::ExecKind::error,
                         .bytes = std::string(piece)}));
    bytes.remove_prefix(piece.size());
  }
}

void ExecSession::on_taken(std::size_t bytes) {
  say(api::print_exec({.kind = api::ExecKind::taken, .number = static_cast<std::uint32_t>(bytes)}));
}

void ExecSession::on_end(const member::ExecEnd& end) {
  say(api::print_exec({.kind = api::ExecKind::end,
                       .bytes = end.reason.substr(0, reason_bytes_max),
                       .exit_code = end.exit_code}));
  close(1000, "the command has ended");
}

// The windows keep what is queued far below the socket's limit, so it always fits.
void ExecSession::say(const std::string& message) {
  socket().send(message);
}

void ExecSession::hear(std::string&& text) {
  auto message = api::parse_exec(text);
  const bool is_begun = exec_ != nullptr;
  if (!message || (message->kind == api::ExecKind::begin) == is_begun)
    return close(code_bad_message, "that message does not belong here");
  switch (message->kind) {
    case api::ExecKind::begin:
      return begin(message->bytes);
    case api::ExecKind::input:
      return exec_->write(message->bytes);
    case api::ExecKind::end_input:
      return exec_->end_input();
    case api::ExecKind::resize:
      return exec_->resize(message->rows, message->columns);
    case api::ExecKind::signal:
      return exec_->send_signal(static_cast<int>(message->number));
    case api::ExecKind::allow:
      return exec_->allow(message->number);
    default:
      return close(code_bad_message, "only a server sends such messages");
  }
}

void ExecSession::begin(std::string_view text) {
  auto asked = wire::from_json<api::ExecBegin>(text);
  if (!asked) return close(code_bad_message, asked.error().text);
  if (asked->rows > UINT16_MAX || asked->columns > UINT16_MAX)
    return close(code_bad_message, "no terminal is that large");
  member::ExecWish wish{.command = std::move(asked->command),
                        .has_terminal = asked->terminal,
                        .rows = static_cast<std::uint16_t>(asked->rows),
                        .columns = static_cast<std::uint16_t>(asked->columns),
                        .terminal = std::move(asked->term)};
  auto started = reach_.exec(place_, wish, *this);
  if (!started) return on_end({.exit_code = -1, .reason = started.error().text});
  exec_ = *std::move(started);
}

void ExecSession::leave() {
  exec_.reset();
  is_over_ = true;
}

}  // namespace suan::uplink
