#include "net/url.h"

#include <algorithm>

#include "base/text.h"

namespace suan::net {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// What may stand in a path or query as it is (RFC 3986 §3.3, §3.4), plus "[", "]", "|" and the like
// that browsers leave alone; bytes above 127 must be escaped.
bool is_target_byte(char c) {
  return c > ' ' && c < 127 && c != '"' && c != '<' && c != '>' && c != '#';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The length of the UTF-8 sequence at the front of `text` (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

// UTF-8 without control characters, so that it can be logged, compared and put into JSON as it is.
bool is_clean_text(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0 || first < 0x20 || first == 0x7F) return false;
    text.remove_prefix(length);
  }
  return true;
}

Failure invalid(std::string text) {
  return {.kind = Failure::Kind::invalid, .text = std::move(text), .place = {}};
}

Result<std::vector<QueryPair>> parse_query(std::string_view text) {
  std::vector<QueryPair> pairs;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    if (pairs.size() == query_pairs_max) {
      return std::unexpected(invalid("the query has too many parameters"));
    }
    const std::size_t equals = std::min(piece.find('='), piece.size());
    SUAN_TRY(std::string key, percent_decode(piece.substr(0, equals), true));
    SUAN_TRY(std::string value,
             percent_decode(piece.substr(std::min(equals + 1, piece.size())), true));
    pairs.emplace_back(std::move(key), std::move(value));
  }
  return pairs;
}

// The path of a target, checked but still encoded.
Result<std::string_view> take_path(std::string_view target) {
  if (target.size() > url_bytes_max) return std::unexpected(invalid("the URL is too long"));
  if (target.empty() || target.front() != '/') {
    return std::unexpected(invalid("a request target must begin with a slash"));
  }
  if (!std::ranges::all_of(target, is_target_byte)) {
    return std::unexpected(invalid("the URL has a character that must be percent-encoded"));
  }
  return target.substr(0, target.find('?'));
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "." || path.substr(0, end) == "..") return true;
    path.remove_prefix(end);
  }
  return false;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, is_unreserved);
}

bool is_ipv6(std::string_view host) {
  return host.size() >= 2 && host.size() <= 45 && std::ranges::all_of(host, [](char c) {
           return hex_value(c) >= 0 || c == ':' || c == '.';
         });
}

// "host", "host:port" or "[v6]:port" into `url`.
Result<void> parse_authority(std::string_view text, Url& url) {
  std::string_view host = text.substr(0, text.find(':'));
  std::string_view rest = text.substr(host.size());
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos || !is_ipv6(text.substr(1, close - 1))) {
      return std::unexpected(invalid("the address in brackets is not IPv6"));
    }
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else if (!is_host(host)) {
    return std::unexpected(invalid("the URL has no valid host name"));
  }
  for (const char c : host) {
    url.host += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (rest.empty()) return {};
  const bool is_number = rest.size() > 1 && std::ranges::all_of(rest.substr(1), is_digit);
  const auto port = is_number && rest.front() == ':' ? parse_integer(rest.substr(1)) : std::nullopt;
  if (!port || *port < 1 || *port > 65535) {
    return std::unexpected(invalid("the port must be a number from 1 to 65535"));
  }
  url.port = static_cast<std::uint16_t>(*port);
  return {};
}

void append_encoded(std::string& out, std::string_view text, bool keeps_slash) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) || (keeps_slash && c == '/')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (text.size() > url_bytes_max) return std::unexpected(invalid("the URL is too long"));
  Url url;
  for (const std::string_view scheme : {"http", "https"}) {
    if (text.size() > scheme.size() && is_same_name(text.substr(0, scheme.size()), scheme) &&
        text.substr(scheme.size()).starts_with("://")) {
      url.scheme = scheme;
    }
  }
  if (url.scheme.empty()) {
    return std::unexpected(invalid("a URL must begin with http:// or https://"));
  }
  text.remove_prefix(url.scheme.size() + 3);
  url.port = url.scheme == "http" ? 80 : 443;
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  if (authority.find('@') != authority.npos) {
    return std::unexpected(invalid("a URL must not hold a user name or password"));
  }
  SUAN_CHECK(parse_authority(authority, url));
  text = text.substr(authority.size());
  text = text.substr(0, text.find('#'));
  if (!text.starts_with('/'))
    url.target = "/";
  else
    url.target.clear();
  url.target += text;
  SUAN_CHECK(parse_target(url.target));
  return url;
}

std::string print_authority(const Url& url) {
  const bool is_v6 = url.host.find(':') != url.host.npos;
  std::string out = is_v6 ? "[" + url.host + "]" : url.host;
  if (url.port != (url.scheme == "https" ? 443 : 80)) out += ":" + std::to_string(url.port);
  return out;
}

Result<Target> parse_target(std::string_view text) {
  SUAN_TRY(const std::string_view path, take_path(text));
  Target target;
  SUAN_TRY(target.path, percent_decode(path));
  if (has_dot_segment(target.path)) {
    return std::unexpected(invalid("a path must not have . or .. segments"));
  }
  if (path.size() < text.size()) {
    SUAN_TRY(target.query, parse_query(text.substr(path.size() + 1)));
  }
  return target;
}

Result<std::vector<std::string>> split_path(std::string_view target) {
  SUAN_TRY(std::string_view path, take_path(target));
  std::vector<std::string> segments;
  if (path == "/") return segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    SUAN_TRY(std::string segment, percent_decode(path.substr(0, end)));
    if (has_dot_segment("/" + segment)) {
      return std::unexpected(invalid("a path must not have . or .. segments"));
    }
    segments.push_back(std::move(segment));
    path.remove_prefix(end);
  }
  return segments;
}

Result<std::string> percent_decode(std::string_view text, bool is_plus_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && is_plus_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return std::unexpected(invalid("a percent sign must be followed by two hex digits"));
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!is_clean_text(out)) {
    return std::unexpected(invalid("the URL must be UTF-8 text without control characters"));
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  append_encoded(out, text, false);
  return out;
}

std::string encode_path(std::string_view path) {
  std::string out;
  append_encoded(out, path, true);
  return out;
}

std::string print_query(const std::vector<QueryPair>& pairs) {
  std::string out;
  for (const auto& [key, value] : pairs) {
    if (!out.empty()) out += '&';
    append_encoded(out, key, false);
    out += '=';
    append_encoded(out, value, false);
  }
  return out;
}

}  // namespace suan::net
