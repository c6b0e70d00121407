#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_message.h"

/// URLs and their parts (RFC 3986), strict and bounded: what is malformed is refused, never
/// repaired.
namespace suan::net {

constexpr std::size_t url_bytes_max = 16U << 10U;
constexpr std::size_t query_pairs_max = 256;

struct Url {
  std::string scheme;        // "http" or "https", lower case.
  std::string host;          // Lower case; an IPv6 address without its brackets.
  std::uint16_t port = 0;    // The scheme's own when the text has none.
  std::string target = "/";  // Path and query, still encoded. Never empty.
};

/// An absolute http or https URL. User names and passwords in it are refused; a fragment is
/// dropped.
Result<Url> parse_url(std::string_view text);

/// "host:port" with brackets where needed, without the scheme's own port: the Host field's value.
std::string print_authority(const Url&);

/// Path and query of a request target ("/a%20b?x=1&y"), decoded. Refused: bad escapes, bytes that
/// are not UTF-8, control characters, "." and ".." segments, more than `query_pairs_max` pairs. In
/// the query a plus is a space.
struct Target {
  std::string path;
  std::vector<QueryPair> query;
};
Result<Target> parse_target(std::string_view text);

/// The decoded segments of a target's path; an encoded slash stays inside its segment. "/" has
/// none. Empty segments are kept: "/a//b/" has four. The same refusals as parse_target.
Result<std::vector<std::string>> split_path(std::string_view target);

/// Undoes percent-encoding. `invalid` on a bad escape or on a result that is not UTF-8 text.
Result<std::string> percent_decode(std::string_view text, bool is_plus_space = false);

/// Encodes everything but the unreserved characters, so that the result fits anywhere in a URL.
std::string percent_encode(std::string_view text);

/// Like percent_encode, but slashes stay.
std::string encode_path(std::string_view path);

/// "a=1&b=2%203"; "" for no pairs.
std::string print_query(const std::vector<QueryPair>&);

}  // namespace suan::net
