#include "uplink/fetches.h"

#include <algorithm>
#include <utility>

#include "api/exec.h"

namespace suan::uplink {

namespace {

using Steady = std::chrono::steady_clock;

constexpr auto asked_again_after = std::chrono::seconds(20);
constexpr auto pause_after_break = std::chrono::seconds(1);
constexpr int windows = 16;  // As many bytes may be on their way, in windows of a shell.

constexpr net::SocketOptions limits{.message_bytes_max = api::exec_message_bytes_max,
                                    .queue_bytes_max = 1U << 20U};

/// The file as if it were a log that has ended.
class UploadReader final : public member::LogReader {
 public:
  UploadReader(const engine::Uploads& uploads, std::string name, std::uint64_t offset)
      : uploads_(uploads), name_(std::move(name)), offset_(static_cast<std::int64_t>(offset)) {}

  Result<Piece> next(std::size_t bytes_max) override {
    auto bytes = uploads_.read(name_, offset_, bytes_max);
    if (!bytes)
      return failure(Failure::Kind::unavailable, "it cannot be read: " + bytes.error().text);
    offset_ += static_cast<std::int64_t>(bytes->size());
    const bool is_end = offset_ >= uploads_.size_of(name_);
    return Piece{.bytes = *std::move(bytes), .is_all = false, .is_end = is_end};
  }

 private:
  const engine::Uploads& uploads_;
  const std::string name_;
  std::int64_t offset_;
};

}  // namespace

std::unique_ptr<member::LogReader> read_upload(const engine::Uploads& uploads, std::string name,
                                               std::uint64_t offset) {
  return std::make_unique<UploadReader>(uploads, std::move(name), offset);
}

/// What a socket knows of one fetch.
struct Fetches::Stream {
  Fetches& fetches;
  std::string name;
  std::int64_t bytes = 0;  // Of all of it.
  std::int64_t at = 0;     // What comes next belongs there.
  std::mutex mutex;
  net::WebSocket socket;
  bool is_over = false;

  void hear(const std::string& text) {
    const auto message = api::parse_exec(text);
    const std::lock_guard lock(mutex);
    if (is_over) return;
    engine::Uploads& uploads = fetches.uploads_;
    if (message && message->kind == api::ExecKind::output) {
      const auto size = uploads.append(name, at, message->bytes);
      // Another stream of it was faster: the rest is asked for anew.
      if (!size && size.error().kind == Failure::Kind::conflict) return socket.close();
      if (!size) return finish(std::unexpected(size.error()));
      at = *size;
      const auto taken = static_cast<std::uint32_t>(message->bytes.size());
      socket.send(api::print_exec({.kind = api::ExecKind::allow, .number = taken}));
    } else if (message && message->kind == api::ExecKind::end) {
      if (!message->bytes.empty() && message->exit_code == 1)
        return finish(failure(Failure::Kind::not_found, message->bytes));
      if (message->bytes.empty() && uploads.size_of(name) == bytes) return finish({});
      socket.close();
    } else {
      socket.close(static_cast<int>(CloseCode::bad_frame), "that message does not belong here");
    }
  }
  void leave() {
    const std::lock_guard lock(mutex);
    if (std::exchange(is_over, true)) return;
    fetches.worker_.post([&all = fetches, its_name = name] { all.pause(its_name); });
  }
  void finish(Result<void> outcome) {
    is_over = true;
    socket.close();
    fetches.worker_.post(
        [&all = fetches, its_name = name, how = std::move(outcome)] { all.end(its_name, how); });
  }
};

bool Fetches::is_whole(const std::string& name, const Workdir& workdir) const {
  return !all_.contains(name) && uploads_.size_of(name) == workdir.bytes;
}

void Fetches::add(Wish wish, Done done) {
  Fetch& fetch = all_[wish.name];
  fetch.wish = std::move(wish);
  fetch.waiting.push_back(std::move(done));
}

std::vector<Fetches::Wish> Fetches::due() {
  std::vector<Wish> wishes;
  const auto now = Steady::now();
  for (auto& [name, fetch] : all_) {
    if (fetch.is_open || now < fetch.next) continue;
    fetch.next = now + asked_again_after;
    wishes.push_back(fetch.wish);
  }
  return wishes;
}

std::uint64_t Fetches::offset_of(const Wish& wish) const {
  return static_cast<std::uint64_t>(uploads_.size_of(wish.name));
}

bool Fetches::take(ParentId parent, const OpenStream& open, net::Dialler& dialler,
                   net::DialOptions options) {
  const auto at = std::ranges::find_if(all_, [&](const auto& each) {
    const Wish& wish = each.second.wish;
    return wish.parent == parent && wish.unit == open.unit && !each.second.is_open;
  });
  if (at == all_.end() || offset_of(at->second.wish) != open.offset) return false;
  Fetch& fetch = at->second;
  const auto stream = std::make_shared<Stream>(*this, fetch.wish.name, fetch.wish.workdir.bytes,
                                               static_cast<std::int64_t>(open.offset));
  options.socket = limits;
  const std::lock_guard lock(stream->mutex);
  stream->socket = dialler.dial(std::move(options),
                                {.on_message = [stream](std::string&& text) { stream->hear(text); },
                                 .on_close = [stream](const net::SocketEnd&) { stream->leave(); }});
  constexpr auto window = static_cast<std::uint32_t>(api::exec_window_bytes);
  for (int i = 1; i < windows; ++i)
    stream->socket.send(api::print_exec({.kind = api::ExecKind::allow, .number = window}));
  fetch.socket = stream->socket;
  fetch.is_open = true;
  return true;
}

void Fetches::give_up(const std::string& name, const Failure& why) {
  end(name, std::unexpected(why));
}

std::vector<std::string> Fetches::names() const {
  std::vector<std::string> names;
  for (const auto& [name, fetch] : all_) names.push_back(name);
  return names;
}

void Fetches::end(const std::string& name, Result<void> outcome) {
  const auto at = all_.find(name);
  if (at == all_.end()) return;
  at->second.socket.close();
  std::vector<Done> waiting = std::move(at->second.waiting);
  all_.erase(at);
  for (Done& each : waiting) each(outcome);
}

// It broke off: the rest is asked for soon.
void Fetches::pause(const std::string& name) {
  const auto at = all_.find(name);
  if (at == all_.end()) return;
  at->second.is_open = false;
  at->second.next = Steady::now() + pause_after_break;
}

}  // namespace suan::uplink
