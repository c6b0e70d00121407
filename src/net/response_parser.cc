#include "net/response_parser.h"

#include <algorithm>
#include <charconv>

namespace suan::net {

namespace {

constexpr std::size_t fields_max = 128;

std::unexpected<Failure> malformed(std::string text) {
  return failure(Failure::Kind::invalid, "the answer is not HTTP/1.1: " + std::move(text));
}

bool is_token_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_value_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (is_same_name(trim(list.substr(0, end)), token)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

template <class Number>
bool parse_whole(std::string_view text, int base, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size() && text.front() != '-';
}

}  // namespace

void ResponseParser::start(bool is_bodyless) {
  state_ = State::head;
  response_.headers.clear();
  response_.body.clear();
  response_.content_type.clear();
  response_.status = 0;
  head_.clear();
  remaining_ = 0;
  chunks_.start();
  is_bodyless_ = is_bodyless;
  is_chunked_ = false;
  has_length_ = false;
  keeps_alive_ = true;
}

Result<std::size_t> ResponseParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::done) {
    const std::string_view rest = bytes.substr(taken);
    Result<std::size_t> step = 0;
    switch (state_) {
      case State::head:
        step = feed_head(rest);
        break;
      case State::chunks:
        step = feed_chunks(rest);
        break;
      case State::body:
      case State::body_to_end:
        step = feed_counted(rest);
        break;
      case State::done:
        break;
    }
    if (!step) return step;
    taken += *step;
  }
  return taken;
}

Result<void> ResponseParser::finish() {
  if (state_ == State::body_to_end) state_ = State::done;
  if (state_ == State::done) return {};
  return failure(Failure::Kind::unavailable, "the server closed the connection in mid-answer");
}

Result<std::size_t> ResponseParser::feed_head(std::string_view bytes) {
  // The end may straddle two pieces, so the last three bytes held are searched again.
  const std::size_t held = head_.size();
  const std::size_t room = header_bytes_max_ - std::min(held, header_bytes_max_);
  head_ += bytes.substr(0, room);
  const std::size_t end = head_.find("\r\n\r\n", held - std::min<std::size_t>(held, 3));
  if (end == head_.npos) {
    if (bytes.size() > room) {
      return failure(Failure::Kind::no_space, "the answer's header is larger than the limit");
    }
    return bytes.size();
  }
  head_.resize(end + 2);
  SUAN_CHECK(take_head());
  head_.clear();
  return end + 4 - held;
}

Result<void> ResponseParser::take_head() {
  std::string_view rest = head_;
  const auto take_line = [&] {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
  };
  const std::string_view status_line = take_line();
  int status = 0;
  const bool is_status_line = status_line.size() >= 12 && status_line.starts_with("HTTP/1.") &&
                              (status_line[7] == '0' || status_line[7] == '1') &&
                              status_line[8] == ' ' &&
                              parse_whole(status_line.substr(9, 3), 10, status) && status >= 100 &&
                              (status_line.size() == 12 || status_line[12] == ' ');
  if (!is_status_line) return malformed("its first line is no status line");
  response_.status = status;
  keeps_alive_ = status_line[7] == '1';
  while (!rest.empty()) SUAN_CHECK(take_field(take_line()));
  return choose_body();
}

Result<void> ResponseParser::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0) return malformed("a header field has no name");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!std::ranges::all_of(name, is_token_byte) || !std::ranges::all_of(value, is_value_byte)) {
    return malformed("a header field has a forbidden character");
  }
  if (response_.headers.size() == fields_max) {
    return failure(Failure::Kind::no_space, "the answer has too many header fields");
  }
  if (is_same_name(name, "content-length")) {
    std::uint64_t length = 0;
    if (value.empty() || !parse_whole(value, 10, length))
      return malformed("its length is no number");
    if (has_length_ && length != remaining_) return malformed("it has two lengths");
    has_length_ = true;
    remaining_ = length;
  } else if (is_same_name(name, "transfer-encoding")) {
    if (is_chunked_ || !is_same_name(value, "chunked")) {
      return malformed("its transfer coding is not chunked");
    }
    is_chunked_ = true;
  } else if (is_same_name(name, "connection")) {
    if (has_token(value, "close"))
      keeps_alive_ = false;
    else if (has_token(value, "keep-alive"))
      keeps_alive_ = true;
  } else if (is_same_name(name, "content-type")) {
    response_.content_type = value;
    return {};
  }
  response_.headers.add(std::string(name), std::string(value));
  return {};
}

Result<void> ResponseParser::choose_body() {
  if (is_chunked_ && has_length_) return malformed("it has both a length and chunks");
  if (response_.status < 200) {
    if (response_.status == 101) return malformed("it switches protocols unasked");
    start(is_bodyless_);  // Interim: the answer proper is still to come.
    return {};
  }
  if (is_bodyless_ || response_.status == 204 || response_.status == 304) {
    state_ = State::done;
  } else if (is_chunked_) {
    state_ = State::chunks;
  } else if (has_length_) {
    state_ = remaining_ == 0 ? State::done : State::body;
  } else {
    keeps_alive_ = false;
    state_ = State::body_to_end;
  }
  return {};
}

Result<std::size_t> ResponseParser::feed_chunks(std::string_view bytes) {
  const auto taken = chunks_.feed(bytes, response_.body, body_bytes_max_);
  if (taken) {
    if (chunks_.is_done()) state_ = State::done;
    return *taken;
  }
  if (taken.error() == ChunkFault::malformed) return malformed("its chunks are malformed");
  return failure(Failure::Kind::no_space, "the answer's chunks are larger than the limit");
}

Result<std::size_t> ResponseParser::feed_counted(std::string_view bytes) {
  if (state_ == State::body_to_end) {
    SUAN_CHECK(add_body(bytes));
    return bytes.size();
  }
  const std::size_t taken =
      static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size()));
  SUAN_CHECK(add_body(bytes.substr(0, taken)));
  remaining_ -= taken;
  if (remaining_ == 0) state_ = State::done;
  return taken;
}

Result<void> ResponseParser::add_body(std::string_view piece) {
  if (response_.body.size() + piece.size() > body_bytes_max_) {
    return failure(Failure::Kind::no_space, "the answer's body is larger than the limit");
  }
  response_.body += piece;
  return {};
}

}  // namespace suan::net
