#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What travels over HTTP/1.1, as plain values.
namespace suan::net {

/// `delete_` is DELETE, a reserved word here.
enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };

/// "GET", "DELETE"; methods are case-sensitive (RFC 9110 §9.1).
std::string_view print_method(Method);
std::optional<Method> parse_method(std::string_view);

struct Header {
  std::string name{};
  std::string value{};
};

/// Header fields in the order they came. Names compare without case; a name may repeat.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> rows) : rows_(rows) {}

  /// The first value of `name`, or null. Valid until the next change.
  const std::string* find(std::string_view name) const;

  void add(std::string name, std::string value) {
    rows_.push_back({std::move(name), std::move(value)});
  }

  /// Replaces every value of `name`.
  void set(std::string_view name, std::string value);

  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }
  std::size_t size() const { return rows_.size(); }
  bool is_empty() const { return rows_.empty(); }
  void clear() { rows_.clear(); }
  void reserve(std::size_t rows) { rows_.reserve(rows); }

 private:
  std::vector<Header> rows_;
};

/// True if the two are equal when ASCII letters lose their case.
bool is_same_name(std::string_view, std::string_view);

using QueryPair = std::pair<std::string, std::string>;

/// One request. A server's route gets it checked: `path` and `query` are percent-decoded UTF-8
/// without control characters or dot segments, and a HEAD arrives as `get` (its body is not sent).
/// A client fills method, path, query, headers and body, or gives `target` ready-made.
struct Request {
  Method method = Method::get;
  std::string target{};  // As on the wire, still encoded, with the query: "/v1/jobs/a%2Fb?wide=1".
  std::string path{};  // Decoded: "/v1/jobs/a/b". `split_path(target)` keeps encoded slashes apart.
  std::vector<QueryPair> query{};  // Decoded, in order.
  Headers headers{};
  std::string body{};
  std::string peer{};  // "127.0.0.1:5123", "[::1]:5123", or "unix:<uid>". Server only.

  /// The first value of a query key, or null. Keys are case-sensitive.
  const std::string* find_query(std::string_view key) const;
};

/// One answer. Content-Length, Date and Connection are written by the server and not listed here.
struct Response {
  int status = 200;
  std::string content_type = "application/json";  // Not sent when both it and the body are empty.
  Headers headers{};
  std::string body{};
};

/// The standard phrase of a status ("Not Found"), or "Status" when it has none.
std::string_view reason_phrase(int status);

/// A problem document (RFC 9457) with `type` "about:blank", for errors that net itself finds.
/// `code` is a short machine word ("body_too_large"); `detail` one sentence for people.
Response make_problem(int status, std::string_view code, std::string_view detail);

}  // namespace suan::net
