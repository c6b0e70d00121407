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

RequestParser::RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max) {
  header_limit(static_cast<std::uint32_t>(header_bytes_max));
  header_bytes_left_ = header_bytes_max;
  body_limit(body_bytes_max);
  eager(true);
}

std::size_t RequestParser::take(std::string_view bytes) {
  error_code error;
  const std::size_t taken = put({bytes.data(), bytes.size()}, error);
  if (error && error != http::error::need_more && fault_.status == 0) explain(error);
  return taken;
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
  } else if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension) {
    fault_ = {400, "chunk_malformed", "a chunk of the request body is malformed"};
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
  // Trailer fields come after the decisions that fields are made for, so they are passed over.
  if (has_header_) return;
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
  has_header_ = true;
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

void RequestParser::on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) {
  // Room for what the client promises, but not for what it merely claims.
  constexpr std::uint64_t trusted_max = 64U << 10U;
  if (length) request_.body.reserve(static_cast<std::size_t>(std::min(*length, trusted_max)));
}

std::size_t RequestParser::on_body_impl(string_view piece, error_code&) {
  request_.body += plain(piece);
  return piece.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) {
  request_.body += plain(piece);
  return piece.size();
}

}  // namespace suan::net
