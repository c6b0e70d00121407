#include "net/mailbox.h"

#include <utility>

#include "base/ensure.h"
#include "net/server.h"
#include "net/socket_state.h"

namespace suan::net {

namespace {

thread_local Burst* burst = nullptr;  // Of this thread.

}  // namespace

void StreamState::cut() {
  const std::lock_guard lock(mutex);
  is_cut = true;
  std::string().swap(pending);
}

void StreamState::tell_room() {
  std::shared_ptr<Callback<void()>> call;
  {
    const std::lock_guard lock(mutex);
    const bool is_due = is_cut || (wants_room && pending.empty() && in_flight == 0);
    if (!is_due) return;
    wants_room = false;
    call = on_room;
  }
  if (call) (*call)();
}

void Delivery::discard() {
  if (stream) stream->cut();
  if (socket) socket->end({.kind = SocketEnd::Kind::broken, .text = "the client has gone"});
}

bool Mailbox::put(Delivery delivery) {
  if (std::this_thread::get_id() == thread && delivery.ticket == routing_ticket) {
    // The commonest case, an answer from within the route, needs neither lock nor wake-up.
    routing_ticket = 0;
    answered_at_once = std::move(delivery);
    return true;
  }
  const std::lock_guard lock(mutex);
  if (!is_open) return false;
  deliveries.push_back(std::move(delivery));
  signal();
  return true;
}

void Mailbox::put_job(Callback<void()> job) {
  const std::lock_guard lock(mutex);
  if (!is_open) return;
  jobs.push_back(std::move(job));
  signal();
}

void Mailbox::signal() {
  if (std::exchange(is_signalled, true)) return;
  if (burst != nullptr)
    burst->silent_.push_back(shared_from_this());
  else
    wake();
}

Burst::Burst() : outer_(std::exchange(burst, this)) {}

Burst::~Burst() {
  burst = outer_;
  for (const auto& mailbox : silent_) {
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->is_open) mailbox->wake();
  }
}

void Mailbox::take(std::vector<Delivery>& deliveries_out, std::vector<Callback<void()>>& jobs_out) {
  const std::lock_guard lock(mutex);
  is_signalled = false;
  deliveries.swap(deliveries_out);
  jobs.swap(jobs_out);
}

void Mailbox::close() {
  std::vector<Delivery> late_deliveries;
  std::vector<Callback<void()>> late_jobs;
  {
    const std::lock_guard lock(mutex);
    is_open = false;
    wake = {};
  }
  take(late_deliveries, late_jobs);  // Destroyed without the lock: a job may hold a Responder.
  for (Delivery& late : late_deliveries) late.discard();
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    const Responder old = std::move(*this);
    mailbox_ = std::move(other.mailbox_);
    slot_ = other.slot_;
    ticket_ = other.ticket_;
  }
  return *this;
}

Responder::~Responder() {
  if (!mailbox_) return;
  respond(make_problem(500, "no_answer", "the server has no answer to this request"));
}

void Responder::respond(Response response) {
  ensure(mailbox_ != nullptr);
  const auto mailbox = std::exchange(mailbox_, nullptr);
  mailbox->put({.slot = slot_,
                .ticket = ticket_,
                .kind = Delivery::Kind::answer,
                .response = std::move(response)});
}

StreamWriter Responder::stream(int status, std::string content_type, Headers headers) {
  ensure(mailbox_ != nullptr);
  const auto mailbox = std::exchange(mailbox_, nullptr);
  auto state = std::make_shared<StreamState>();
  state->mailbox = mailbox;
  state->slot = slot_;
  state->ticket = ticket_;
  state->bytes_max = mailbox->stream_bytes_max;
  state->status = status;
  state->content_type = std::move(content_type);
  state->headers = std::move(headers);
  const bool is_taken = mailbox->put(
      {.slot = slot_, .ticket = ticket_, .kind = Delivery::Kind::stream, .stream = state});
  if (!is_taken) state->cut();
  return StreamWriter(std::move(state));
}

namespace {

void tell(StreamState& state) {
  state.mailbox->put({.slot = state.slot, .ticket = state.ticket, .kind = Delivery::Kind::wake});
}

}  // namespace

StreamWriter& StreamWriter::operator=(StreamWriter&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

bool StreamWriter::write(std::string_view bytes) {
  if (!state_) return false;
  bool tells = false;
  bool fits = true;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->is_closed || state_->is_cut) return false;
    fits = state_->pending.size() + state_->in_flight + bytes.size() <= state_->bytes_max;
    if (fits) {
      state_->pending += bytes;
    } else {
      state_->is_cut = true;
      std::string().swap(state_->pending);
    }
    tells = !std::exchange(state_->is_signalled, true);
  }
  if (tells || !fits) tell(*state_);
  return fits;
}

bool StreamWriter::has_room(std::size_t bytes) {
  if (!state_) return false;
  const std::lock_guard lock(state_->mutex);
  if (state_->is_closed || state_->is_cut) return false;
  const std::size_t held = state_->pending.size() + state_->in_flight;
  state_->wants_room = held > 0 && held + bytes > state_->bytes_max;
  return !state_->wants_room;
}

void StreamWriter::on_room(Callback<void()> call) {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->on_room = std::make_shared<Callback<void()>>(std::move(call));
}

void StreamWriter::close() {
  if (!state_) return;
  const auto state = std::exchange(state_, nullptr);
  {
    const std::lock_guard lock(state->mutex);
    if (state->is_closed || state->is_cut) return;
    state->is_closed = true;
    if (std::exchange(state->is_signalled, true)) return;
  }
  tell(*state);
}

bool StreamWriter::is_open() const {
  if (!state_) return false;
  const std::lock_guard lock(state_->mutex);
  return !state_->is_closed && !state_->is_cut;
}

}  // namespace suan::net
