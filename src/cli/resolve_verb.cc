#include <string>

#include "api/names.h"
#include "base/text.h"
#include "cli/amounts.h"
#include "cli/call.h"
#include "cli/width.h"
#include "net/url.h"

namespace suan::cli {

namespace {

constexpr std::size_t fingerprint_digits = 16;  // As `suan join list` shows it.

std::string shortened(const std::string& key) {
  return key.substr(0, fingerprint_digits);
}

std::string print_pool(const Pool& pool) {
  std::string text = std::to_string(pool.nodes) + (pool.nodes == 1 ? " node of " : " nodes of ");
  if (pool.cards_per_node > 0)
    text += std::to_string(pool.cards_per_node) + " × " + pool.chip + ", ";
  text +=
      print_cards("", 0, pool.cpu_milli_per_node) + ", " + print_size(pool.memory_bytes_per_node);
  return text + (pool.is_firm ? "; a lease holds it" : "; a place in a queue");
}

void add_line(std::string& out, std::string_view name, const std::string& value) {
  constexpr std::size_t name_width = 10;
  out += "  ";
  out += name;
  out.append(name_width - std::min(name.size(), name_width), ' ');
  out += plain_line(value) + "\n";
}

std::string print_name(const api::NameView& view, const Layout&) {
  std::string out = plain_line(view.identifier) + "\n";
  add_line(out, "kind", view.kind);
  if (view.kind == "pool") add_line(out, "pool", print_pool(view.pool));
  if (view.kind != "domain" && !view.site.city.empty())
    add_line(out, "city",
             view.site.city + (view.site.region.empty() ? "" : " (" + view.site.region + ")"));
  add_line(out, "domain", view.domain);
  add_line(out, "key", shortened(view.key));
  for (const api::DelegationView& each : view.chain)
    add_line(out, "vouched",
             "by " + each.parent + " for " + each.child + ", " + shortened(each.key));
  const Span left{view.left.us / seconds(1).us * seconds(1).us};
  const Moment second{view.issued.us / seconds(1).us * seconds(1).us};
  add_line(out, "signed",
           print_moment(second) + ", good for " + print_span(left) +
               (view.is_cached ? " more (kept from before)" : ""));
  return out;
}

}  // namespace

Outcome<int> resolve(Call& call) {
  SUAN_TRY(const std::string body,
           call.session.get("/v1/resolve?id=" + net::percent_encode(call.arguments.words.front())));
  return show<api::NameView>(call, body, print_name);
}

}  // namespace suan::cli
