#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "net/chunks.h"
#include "net/http_message.h"

namespace suan::net {

/// Why a request was refused before any route saw it.
struct RequestFault {
  int status = 0;  // 0 = none.
  std::string_view code;
  std::string_view detail;
};

/// Reads one request straight into a `Request`. Beast checks the grammar of the head; this class
/// what Beast leaves to its caller (the Host field, codings other than chunked, unknown methods),
/// and it reads the body itself: Beast 1.81 asserts on a last chunk that comes in pieces.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max);

  /// Takes bytes; says how many. After a fault the parser is spent.
  std::size_t take(std::string_view bytes);

  bool is_complete() const { return is_complete_; }
  const RequestFault& fault() const { return fault_; }
  Request& request() { return request_; }
  bool is_head() const { return is_head_; }
  bool is_asterisk() const { return is_asterisk_; }
  bool expects_continue() const { return expects_continue_; }
  bool is_version_1_0() const { return version_ == 10; }

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, string_view method, string_view target,
                       int version, error_code&) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field, string_view name, string_view value,
                     error_code&) override;
  void on_header_impl(error_code&) override;
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view piece, error_code&) override { return piece.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  void begin_body();
  void refuse(RequestFault, error_code&);
  void explain(const error_code&);
  bool count_header(std::size_t bytes, error_code&);
  bool read_target();

  Request request_;
  RequestFault fault_;
  std::size_t header_bytes_left_;
  std::size_t body_bytes_max_;
  std::uint64_t body_bytes_left_ = 0;  // Of a body with a length.
  ChunkDecoder chunks_;
  int version_ = 11;
  int hosts_ = 0;
  bool is_head_ = false;
  bool is_asterisk_ = false;
  bool expects_continue_ = false;
  bool is_complete_ = false;
};

}  // namespace suan::net
