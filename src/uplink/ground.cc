#include "uplink/ground.h"

#include <utility>

namespace suan::uplink {

void Ground::put(domain::Command command, std::vector<std::string> payloads,
                 Callback<void(const runtime::Reply&)> then) const {
  runtime::Request request;
  request.command = std::move(command);
  request.caller = runtime::link_caller();
  request.payloads = std::move(payloads);
  request.received = clock.steady();
  if (then) {
    request.reply = [&to = worker, then = std::move(then)](const runtime::Reply& reply) mutable {
      to.post([then = std::move(then), reply]() mutable { then(reply); });
    };
  }
  core.put_waiting(std::move(request));
}

bool Ground::look(Callback<Then(const runtime::View&)> look, std::uint64_t sequence) const {
  return follower.ask([&to = worker, look = std::move(look)](
                          const runtime::View& view) mutable { to.post(look(view)); },
                      sequence);
}

}  // namespace suan::uplink
