// Feeds arbitrary requests to the check of upgrades, and arbitrary addresses to that of dialling.
// Beyond not crashing: what is taken for an upgrade has all that RFC 6455 §4.2.1 asks for, and what
// can be dialled has a place and a target that cannot forge a line of the request.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ensure.h"
#include "net/request_parser.h"
#include "net/socket_session.h"
#include "net/websocket.h"

namespace {

using namespace suan;
using namespace suan::net;

std::string take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string line(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void fuzz_upgrade(std::string_view bytes) {
  RequestParser parser(4096, 256);
  std::string_view rest = bytes;
  while (!rest.empty() && !parser.is_complete() && parser.fault().status == 0) {
    const std::size_t taken = parser.take(rest);
    if (taken == 0) break;
    rest.remove_prefix(taken);
  }
  if (!parser.is_complete()) return;
  const Request& request = parser.request();
  if (const auto refusal = refuse_upgrade(request)) {
    ensure(refusal->status == 400 || refusal->status == 405 || refusal->status == 426);
    return;
  }
  ensure(request.method == Method::get && request.body.empty());
  ensure(request.headers.find("Upgrade") && request.headers.find("Connection"));
  ensure(*request.headers.find("Sec-WebSocket-Version") == "13");
  ensure(request.headers.find("Sec-WebSocket-Key")->size() == 24);
}

void fuzz_dial(std::string_view bytes) {
  DialOptions options;
  options.url = take_line(bytes);
  options.target = take_line(bytes);
  while (!bytes.empty()) {
    std::string name = take_line(bytes);
    options.headers.add(std::move(name), take_line(bytes));
  }
  const auto target = parse_dial(options);
  if (!target) {
    ensure(!target.error().text.empty());
    return;
  }
  ensure(target->place.unix_path.empty() ? target->place.port != 0 && !target->place.host.empty()
                                         : !target->is_tls);
  ensure(target->target.starts_with('/'));
  for (const char c : target->target) ensure(c > ' ' && c < 127);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(bytes)), size);
  fuzz_upgrade(text);
  fuzz_dial(text);
  return 0;
}
