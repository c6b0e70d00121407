#include "net/socket_state.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "net/server.h"
#include "net/socket_session.h"

namespace suan::net {

namespace {

constexpr std::size_t reason_bytes_max = 123;  // RFC 6455 §5.5: a control frame holds 125.

bool is_close_code(int code) {
  return code == 1000 || code == 1001 || code == 1011 || (code >= 3000 && code <= 4999);
}

// True if `name` is one of the comma-separated words of any field called `field`.
bool has_token(const Headers& headers, std::string_view field, std::string_view name) {
  for (const Header& header : headers) {
    if (!is_same_name(header.name, field)) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      std::string_view word = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      word.remove_prefix(std::min(word.find_first_not_of(" \t"), word.size()));
      word = word.substr(0, word.find_last_not_of(" \t") + 1);
      if (is_same_name(word, name)) return true;
    }
  }
  return false;
}

// Sixteen bytes in base64 (RFC 6455 §4.1).
bool is_key(std::string_view text) {
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return text.size() == 24 && text.ends_with("==") &&
         std::ranges::all_of(text.substr(0, 22), is_digit);
}

std::size_t count(const Headers& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [&](const Header& header) { return is_same_name(header.name, name); }));
}

}  // namespace

std::optional<Response> refuse_upgrade(const Request& request) {
  const Headers& headers = request.headers;
  const auto upgrade_required = [](std::string_view detail) {
    Response response = make_problem(426, "upgrade_required", detail);
    response.headers.add("Upgrade", "websocket");
    response.headers.add("Connection", "Upgrade");
    response.headers.add("Sec-WebSocket-Version", "13");
    return response;
  };
  if (request.method != Method::get) {
    Response response = make_problem(405, "method_not_allowed", "a WebSocket is asked for by GET");
    response.headers.add("Allow", "GET");
    return response;
  }
  if (!has_token(headers, "Upgrade", "websocket") || !has_token(headers, "Connection", "upgrade")) {
    return upgrade_required("this place is a WebSocket: ask with `Upgrade: websocket`");
  }
  const std::string* const version = headers.find("Sec-WebSocket-Version");
  if (!version || *version != "13" || count(headers, "Sec-WebSocket-Version") != 1) {
    return upgrade_required("only version 13 of the WebSocket protocol is spoken here");
  }
  const std::string* const key = headers.find("Sec-WebSocket-Key");
  if (!key || !is_key(*key) || count(headers, "Sec-WebSocket-Key") != 1) {
    return make_problem(400, "bad_upgrade", "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (!request.body.empty()) {
    return make_problem(400, "bad_upgrade", "a request for a WebSocket has no body");
  }
  return std::nullopt;
}

SocketState::SocketState(std::shared_ptr<Mailbox> box, SocketOptions limits, SocketListener calls)
    : mailbox(std::move(box)), options(limits), listener(std::move(calls)) {
  ensure(options.message_bytes_max >= 125 && options.message_bytes_max <= 1U << 30U);
  ensure(options.silence_timeout >= milliseconds(10) && options.silence_timeout <= hours(1));
  ensure(options.close_timeout >= milliseconds(1));
}

void SocketState::wake() {
  mailbox->put_job([self = shared_from_this()] {
    {
      const std::lock_guard lock(self->mutex);
      self->is_signalled = false;
    }
    if (self->session) self->session->look();
  });
}

void SocketState::end(const SocketEnd& how) {
  std::deque<std::string> unsent;
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(is_over, true)) return;
    unsent.swap(queue);
    queued_bytes = 0;
  }
  SocketListener told = std::exchange(listener, {});
  if (told.on_close) told.on_close(how);
}

/// Shared by the copies of a WebSocket; the last of them closes it.
struct WebSocket::Handle {
  explicit Handle(std::shared_ptr<SocketState> of) : state(std::move(of)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close(1000, {}); }

  void close(int code, std::string_view reason);

  const std::shared_ptr<SocketState> state;
};

void WebSocket::Handle::close(int code, std::string_view reason) {
  ensure(is_close_code(code));
  std::size_t size = std::min(reason.size(), reason_bytes_max);
  // Not within a character: the reason must be UTF-8.
  while (size > 0 && size < reason.size() &&
         (static_cast<unsigned char>(reason[size]) >> 6U) == 2) {
    --size;
  }
  {
    const std::lock_guard lock(state->mutex);
    if (state->is_over || state->close_code != 0) return;
    state->close_code = code;
    state->close_reason = reason.substr(0, size);
    if (std::exchange(state->is_signalled, true)) return;
  }
  state->wake();
}

WebSocket::WebSocket(std::shared_ptr<SocketState> state)
    : handle_(std::make_shared<Handle>(std::move(state))) {}

WebSocket::Sent WebSocket::send(std::string message) {
  if (!handle_) return Sent::over;
  SocketState& state = *handle_->state;
  ensure(message.size() <= state.options.message_bytes_max);
  {
    const std::lock_guard lock(state.mutex);
    if (state.is_over || state.is_cut || state.close_code != 0) return Sent::over;
    const std::size_t bytes = message.size() + SocketState::message_cost;
    if (state.queued_bytes > 0 && state.queued_bytes + bytes > state.options.queue_bytes_max) {
      state.wants_room = true;
      return Sent::full;
    }
    state.queued_bytes += bytes;
    state.queue.push_back(std::move(message));
    if (std::exchange(state.is_signalled, true)) return Sent::queued;
  }
  state.wake();
  return Sent::queued;
}

bool WebSocket::has_room(std::size_t bytes) {
  if (!handle_) return false;
  SocketState& state = *handle_->state;
  const std::lock_guard lock(state.mutex);
  if (state.is_over || state.is_cut || state.close_code != 0) return false;
  const std::size_t wanted = bytes + SocketState::message_cost;
  const bool fits =
      state.queued_bytes == 0 || state.queued_bytes + wanted <= state.options.queue_bytes_max;
  if (!fits) state.wants_room = true;
  return fits;
}

std::size_t WebSocket::queued_bytes() const {
  if (!handle_) return 0;
  const std::lock_guard lock(handle_->state->mutex);
  return handle_->state->queued_bytes;
}

void WebSocket::hold(bool is_held) {
  if (!handle_) return;
  SocketState& state = *handle_->state;
  {
    const std::lock_guard lock(state.mutex);
    if (state.is_over || std::exchange(state.is_held, is_held) == is_held) return;
    if (std::exchange(state.is_signalled, true)) return;
  }
  state.wake();
}

void WebSocket::close(int code, std::string_view reason) {
  if (handle_) handle_->close(code, reason);
}

void WebSocket::cut() {
  if (!handle_) return;
  SocketState& state = *handle_->state;
  {
    const std::lock_guard lock(state.mutex);
    if (state.is_over || std::exchange(state.is_cut, true)) return;
    if (std::exchange(state.is_signalled, true)) return;
  }
  state.wake();
}

bool WebSocket::is_usable() const {
  if (!handle_) return false;
  const std::lock_guard lock(handle_->state->mutex);
  return !handle_->state->is_over && !handle_->state->is_cut && handle_->state->close_code == 0;
}

WebSocket Responder::upgrade(const Request& request, SocketOptions options,
                             SocketListener listener) {
  ensure(mailbox_ != nullptr);
  auto state = std::make_shared<SocketState>(mailbox_, options, std::move(listener));
  WebSocket socket(state);
  if (auto refusal = refuse_upgrade(request)) {
    const int status = refusal->status;
    respond(std::move(*refusal));
    state->end({.kind = SocketEnd::Kind::refused,
                .http_status = status,
                .text = "the request asked for no WebSocket"});
    return socket;
  }
  state->request = {.method = request.method, .target = request.target, .headers = request.headers};
  const auto mailbox = std::exchange(mailbox_, nullptr);
  Delivery delivery{
      .slot = slot_, .ticket = ticket_, .kind = Delivery::Kind::upgrade, .socket = state};
  if (!mailbox->put(std::move(delivery))) {
    state->end({.kind = SocketEnd::Kind::broken, .text = "the server has stopped"});
  }
  return socket;
}

}  // namespace suan::net
