#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/result.h"

/// Server-sent events (WHATWG HTML §9.2): a text stream of named, numbered messages.
namespace suan::net {

struct SseEvent {
  std::string id{};     // Of the last event that had one, as the standard says.
  std::string event{};  // "" = "message".
  std::string data{};   // Lines joined by \n.
};

/// The bytes of one event. Line ends inside `data` become several data lines; `id` and `event` lose
/// what follows a line end or NUL in them.
std::string print_event(const SseEvent&);

/// A comment line, which keeps the connection awake and means nothing.
std::string_view sse_keep_alive();

/// Puts events together from pieces of any size. Holds at most `bytes_max` of an unfinished event.
class SseParser {
 public:
  explicit SseParser(std::size_t bytes_max = 1U << 20U) : bytes_max_(bytes_max) {}

  /// Takes the next bytes and calls `on_event` for each event completed; false from it drops the
  /// rest and returns. `no_space` when an event is over the limit; the parser is then spent.
  Result<void> feed(std::string_view bytes, Callback<bool(const SseEvent&)>& on_event);

  /// The id to resume from (Last-Event-ID); "" when none was seen.
  const std::string& last_id() const { return last_id_; }

 private:
  bool take_line(std::string_view line, Callback<bool(const SseEvent&)>& on_event);

  std::size_t bytes_max_;
  std::string line_;
  SseEvent event_;
  std::string last_id_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool at_start_ = true;
};

}  // namespace suan::net
