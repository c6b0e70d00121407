#include "net/request_parser.h"

#include <algorithm>

#include "net/url.h"

namespace suan::net {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t fields_max = 100;

std::string_view plain(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// Takes "http://host" off the front of a target in absolute form (RFC 9112 §3.2.2).
void strip_authority(std::string& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() ||
        !is_same_name(std::string_view(target).substr(0, scheme.size()), scheme)) {
      continue;
    }
    target.erase(0, std::min(target.find_first_of("/?", scheme.size()), target.size()));
    if (!target.starts_with('/')) target.insert(0, "/");
    return;
  }
}

}  // namespace

RequestParser::RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : header_bytes_left_(header_bytes_max),
      body_bytes_max_(body_bytes_max),
      chunks_(header_bytes_max) {
  header_limit(static_cast<std::uint32_t>(header_bytes_max));
  body_limit(body_bytes_max);
  eager(false);
}

std::size_t RequestParser::take(std::string_view bytes) {
  std::size_t taken = 0;
  if (!is_header_done()) taken = take_head(bytes);
  if (is_header_done() && !is_complete_ && fault_.status == 0) {
    taken += take_body(bytes.substr(taken));
  }
  return taken;
}

std::size_t RequestParser::take_head(std::string_view bytes) {
  error_code error;
  const std::size_t taken = put({bytes.data(), bytes.size()}, error);
  if (error && error != http::error::need_more && fault_.status == 0) explain(error);
  if (is_header_done() && fault_.status == 0) begin_body();
  return taken;
}

void RequestParser::begin_body() {
  constexpr std::uint64_t trusted_max = 64U << 10U;  // Room is made for no more than this at once.
  if (chunked()) return;
  body_bytes_left_ = content_length().value_or(0);
  is_complete_ = body_bytes_left_ == 0;
  request_.body.reserve(static_cast<std::size_t>(std::min(body_bytes_left_, trusted_max)));
}

std::size_t RequestParser::take_body(std::string_view bytes) {
  if (!chunked()) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(body_bytes_left_, bytes.size()));
    request_.body += bytes.substr(0, size);
    body_bytes_left_ -= size;
    is_complete_ = body_bytes_left_ == 0;
    return size;
  }
  const auto taken = chunks_.feed(bytes, request_.body, body_bytes_max_);
  if (taken) {
    is_complete_ = chunks_.is_done();
    return *taken;
  }
  if (taken.error() == ChunkFault::body_too_large) {
    fault_ = {413, "body_too_large", "the request body is over the limit"};
  } else if (taken.error() == ChunkFault::line_too_long) {
    fault_ = {431, "line_too_large", "a line between the chunks of the body is over the limit"};
  } else {
    fault_ = {400, "chunk_malformed", "a chunk of the request body is malformed"};
  }
  return 0;
}

void RequestParser::refuse(RequestFault fault, error_code& error) {
  fault_ = fault;
  error = http::error::bad_field;
}

void RequestParser::explain(const error_code& error) {
  if (error == http::error::header_limit) {
    fault_ = {431, "header_too_large", "the request line and header fields are over the limit"};
  } else if (error == http::error::body_limit) {
    fault_ = {413, "body_too_large", "the request body is over the limit"};
  } else if (error == http::error::bad_version) {
    fault_ = {505, "version_unknown", "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  } else {
    fault_ = {400, "request_malformed", "the request is not well-formed HTTP/1.1"};
  }
}

// Beast holds the request line to its limit, and then all fields together to the same limit again.
bool RequestParser::count_header(std::size_t bytes, error_code& error) {
  const bool fits = bytes <= header_bytes_left_;
  header_bytes_left_ -= fits ? bytes : 0;
  if (!fits) error = http::error::header_limit;
  return fits;
}

void RequestParser::on_request_impl(http::verb, string_view method, string_view target, int version,
                                    error_code& error) {
  version_ = version;
  request_.target = plain(target);
  const auto known = net::parse_method(plain(method));
  if (!known) {
    return refuse({501, "method_unknown", "use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"},
                  error);
  }
  is_head_ = *known == Method::head;
  request_.method = is_head_ ? Method::get : *known;
  request_.headers.reserve(8);
  count_header(method.size() + target.size() + 12, error);
}

void RequestParser::on_field_impl(http::field field, string_view name, string_view value,
                                  error_code& error) {
  if (request_.headers.size() == fields_max) {
    return refuse({431, "too_many_fields", "the request has more than 100 header fields"}, error);
  }
  if (!count_header(name.size() + value.size() + 4, error)) return;
  if (field == http::field::host) {
    ++hosts_;
  } else if (field == http::field::transfer_encoding && !is_same_name(plain(value), "chunked")) {
    return refuse({501, "coding_unknown", "the only transfer coding taken is chunked"}, error);
  } else if (field == http::field::expect) {
    if (!is_same_name(plain(value), "100-continue")) {
      return refuse({417, "expectation_unknown", "the only expectation met is 100-continue"},
                    error);
    }
    expects_continue_ = version_ == 11;
  }
  request_.headers.add(std::string(plain(name)), std::string(plain(value)));
}

void RequestParser::on_header_impl(error_code& error) {
  if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) {
    return refuse({400, "host_missing", "an HTTP/1.1 request has exactly one Host field"}, error);
  }
  if (!read_target()) {
    refuse({400, "target_malformed",
            "the path or query is malformed: percent-encode it as UTF-8, without dot segments"},
           error);
  }
}

bool RequestParser::read_target() {
  is_asterisk_ = request_.target == "*" && request_.method == Method::options;
  if (is_asterisk_) return true;
  strip_authority(request_.target);
  auto target = net::parse_target(request_.target);
  if (!target) return false;
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  return true;
}

}  // namespace suan::net
