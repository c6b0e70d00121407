#include "net/sse.h"

#include <algorithm>
#include <utility>

namespace suan::net {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view first_line(std::string_view text) {
  constexpr std::string_view ends("\r\n\0", 3);
  return text.substr(0, text.find_first_of(ends));
}

}  // namespace

std::string print_event(const SseEvent& event) {
  std::string out;
  out.reserve(event.data.size() + event.id.size() + event.event.size() + 32);
  if (!event.id.empty()) out.append("id: ").append(first_line(event.id)) += '\n';
  if (!event.event.empty()) out.append("event: ").append(first_line(event.event)) += '\n';
  std::string_view rest = event.data;
  while (true) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    out.append("data: ").append(rest.substr(0, end)) += '\n';
    if (end == rest.size()) break;
    const bool is_pair = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (is_pair ? 2 : 1));
  }
  out += '\n';
  return out;
}

std::string_view sse_keep_alive() {
  return ":\n\n";
}

Result<void> SseParser::feed(std::string_view bytes, Callback<bool(const SseEvent&)>& on_event) {
  while (!bytes.empty()) {
    if (after_cr_) {  // The LF of a CRLF that a piece's end tore apart.
      after_cr_ = false;
      if (bytes.front() == '\n') bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + end + event_.data.size() > bytes_max_) {
      return failure(Failure::Kind::no_space, "a server-sent event is larger than the limit");
    }
    line_ += bytes.substr(0, end);
    if (end == bytes.size()) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    const bool goes_on = take_line(line_, on_event);
    line_.clear();
    if (!goes_on) break;
  }
  return {};
}

bool SseParser::take_line(std::string_view line, Callback<bool(const SseEvent&)>& on_event) {
  if (at_start_ && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  at_start_ = false;
  if (line.empty()) {
    SseEvent event = std::exchange(event_, {});
    if (!std::exchange(has_data_, false)) return true;  // Without data there is no event.
    event.id = last_id_;
    return on_event(event);
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (has_data_) event_.data += '\n';
    has_data_ = true;
    event_.data += value;
  } else if (field == "event") {
    event_.event = value;
  } else if (field == "id" && value.find('\0') == value.npos) {
    last_id_ = value;
  }
  return true;
}

}  // namespace suan::net
