#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/chunks.h"
#include "net/http_message.h"

namespace suan::net {

/// Puts HTTP/1.1 answers together from pieces of any size (RFC 9112). Holds at most the two limits.
/// Bare line feeds, folded fields, two lengths, and codings other than chunked are refused.
class ResponseParser {
 public:
  ResponseParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
      : header_bytes_max_(header_bytes_max),
        body_bytes_max_(body_bytes_max),
        chunks_(header_bytes_max) {}

  /// Begins the next answer. `is_bodyless` when the request was a HEAD.
  void start(bool is_bodyless);

  /// Takes bytes up to the end of the answer and says how many. `invalid` when they are malformed,
  /// `no_space` over a limit; the parser is then spent until `start`.
  Result<std::size_t> feed(std::string_view bytes);

  /// The peer closed: ends a body that has no length. `unavailable` if something is missing.
  Result<void> finish();

  bool has_head() const { return state_ > State::head; }
  bool is_done() const { return state_ == State::done; }

  /// False if the connection cannot carry another request. Meaningful once done.
  bool keeps_alive() const { return keeps_alive_; }

  /// The body so far is in `response().body`; who streams may take it out after each feed. The
  /// limit counts what is there.
  Response& response() { return response_; }

 private:
  enum class State : std::uint8_t { head, body, body_to_end, chunks, done };

  Result<void> take_head();
  Result<void> take_field(std::string_view line);
  Result<void> choose_body();
  Result<void> add_body(std::string_view piece);
  Result<std::size_t> feed_head(std::string_view bytes);
  Result<std::size_t> feed_chunks(std::string_view bytes);
  Result<std::size_t> feed_counted(std::string_view bytes);

  std::size_t header_bytes_max_;
  std::size_t body_bytes_max_;
  State state_ = State::head;
  Response response_;
  std::string head_;             // Unfinished.
  std::uint64_t remaining_ = 0;  // Of the body.
  ChunkDecoder chunks_;
  bool is_bodyless_ = false;
  bool is_chunked_ = false;
  bool has_length_ = false;
  bool keeps_alive_ = true;
};

}  // namespace suan::net
