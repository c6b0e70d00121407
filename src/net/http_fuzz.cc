// Feeds arbitrary bytes to every parser of the room, whole and in pieces. Beyond not crashing: what
// is accepted obeys the limits, and the size of the pieces changes nothing.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ensure.h"
#include "net/request_parser.h"
#include "net/response_parser.h"
#include "net/sse.h"
#include "net/url.h"

namespace {

using namespace suan;
using namespace suan::net;

constexpr std::size_t header_bytes_max = 512;
constexpr std::size_t body_bytes_max = 256;

bool is_same(const Headers& a, const Headers& b) {
  auto other = b.begin();
  if (a.size() != b.size()) return false;
  for (const Header& header : a) {
    if (header.name != other->name || header.value != other->value) return false;
    ++other;
  }
  return true;
}

ResponseParser read_response(std::string_view bytes, std::size_t piece, bool& is_failed) {
  ResponseParser parser(header_bytes_max, body_bytes_max);
  parser.start(false);
  while (!bytes.empty() && !parser.is_done() && !is_failed) {
    const std::string_view now = bytes.substr(0, piece);
    const auto taken = parser.feed(now);
    is_failed = !taken;
    if (!taken) break;
    ensure(*taken == now.size() || (parser.is_done() && *taken <= now.size()));
    bytes.remove_prefix(*taken);
  }
  ensure(parser.response().body.size() <= body_bytes_max);
  return parser;
}

void fuzz_response(std::string_view bytes, std::size_t piece) {
  bool is_failed_whole = false;
  bool is_failed_torn = false;
  ResponseParser whole = read_response(bytes, bytes.size(), is_failed_whole);
  ResponseParser torn = read_response(bytes, piece, is_failed_torn);
  ensure(is_failed_whole == is_failed_torn);
  if (is_failed_whole) return;
  ensure(whole.is_done() == torn.is_done());
  ensure(whole.response().status == torn.response().status);
  ensure(whole.response().body == torn.response().body);
  ensure(is_same(whole.response().headers, torn.response().headers));
}

// As a connection does: what is not taken is offered again with more.
void fuzz_request(std::string_view bytes, std::size_t piece) {
  RequestParser parser(header_bytes_max, body_bytes_max);
  std::string held;
  while (!bytes.empty() && !parser.is_complete() && parser.fault().status == 0) {
    held += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    std::size_t taken = 1;
    while (taken > 0 && !held.empty() && !parser.is_complete() && parser.fault().status == 0) {
      taken = parser.take(held);
      ensure(taken <= held.size());
      held.erase(0, taken);
    }
    if (held.size() > header_bytes_max + 64) return;
  }
  ensure(parser.request().body.size() <= body_bytes_max);
  if (!parser.is_complete() || parser.fault().status != 0 || parser.is_asterisk()) return;
  ensure(parser.request().path.starts_with('/'));
  ensure(parse_target(parser.request().target).has_value());
}

void fuzz_url(std::string_view bytes) {
  const auto url = parse_url(bytes);
  if (url) {
    const auto again = parse_url(url->scheme + "://" + print_authority(*url) + url->target);
    ensure(again && again->host == url->host && again->port == url->port &&
           again->target == url->target);
  }
  const auto target = parse_target(bytes);
  ensure(target.has_value() == split_path(bytes).has_value() ||
         bytes.find('?') != bytes.npos);  // Only the query can make the difference.
  if (target) {
    std::string text = encode_path(target->path);
    if (!target->query.empty()) text += "?" + print_query(target->query);
    if (text.size() <= url_bytes_max) {
      const auto again = parse_target(text);
      ensure(again && again->path == target->path && again->query == target->query);
    }
  }
  const auto decoded = percent_decode(bytes);
  if (decoded) ensure(percent_decode(percent_encode(*decoded)).value() == *decoded);
}

std::vector<SseEvent> read_events(std::string_view bytes, std::size_t piece, bool& is_failed) {
  std::vector<SseEvent> events;
  Callback<bool(const SseEvent&)> take = [&](const SseEvent& event) {
    ensure(event.data.size() <= body_bytes_max);
    events.push_back(event);
    return true;
  };
  SseParser parser(body_bytes_max);
  while (!bytes.empty() && !is_failed) {
    is_failed = !parser.feed(bytes.substr(0, piece), take);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return events;
}

void fuzz_events(std::string_view bytes, std::size_t piece) {
  bool is_failed_whole = false;
  bool is_failed_torn = false;
  const auto whole = read_events(bytes, bytes.size(), is_failed_whole);
  const auto torn = read_events(bytes, piece, is_failed_torn);
  ensure(is_failed_whole == is_failed_torn && whole.size() == torn.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    ensure(whole[i].id == torn[i].id && whole[i].event == torn[i].event &&
           whole[i].data == torn[i].data);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + bytes[1] % 32U;
  const std::string text(bytes + 2, bytes + size);
  switch (bytes[0] % 4) {
    case 0:
      fuzz_response(text, piece);
      break;
    case 1:
      fuzz_request(text, piece);
      break;
    case 2:
      fuzz_url(text);
      break;
    default:
      fuzz_events(text, piece);
  }
  return 0;
}
