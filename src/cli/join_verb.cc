#include <string>

#include "cli/call.h"
#include "cli/views_text.h"
#include "net/url.h"

namespace suan::cli {

namespace {

constexpr std::string_view usage = "suan join token | list | approve NAME | refuse NAME";

/// The body of POST /v1/join-tokens.
struct NewJoinToken {
  std::string label = {};
  std::string lasts = {};

  static void fields(auto&& visit, auto& self) {
    visit(1, "label", self.label);
    visit(2, "lasts", self.lasts);
  }
};

Outcome<int> make_token(Call& call) {
  const NewJoinToken wanted{.label = std::string(call.arguments.value("label")),
                            .lasts = std::string(call.arguments.value("lasts", "24h"))};
  SUAN_TRY(const api::Accepted accepted,
           call.session.change(net::Method::post, "/v1/join-tokens", wire::to_json(wanted)));
  if (!call.is_for_people()) return print_body(call, wire::to_json(accepted));
  const std::string& url = call.session.settings().url;
  call.screen.note(accepted.id + " lets one domain ask to join within " + wanted.lasts +
                   "; this is shown only now:\n");
  call.screen.print(accepted.secret + "\n");
  call.screen.note("On that domain: suan serve --join " + (url.starts_with("unix:") ? "URL" : url) +
                   " --join-token " + accepted.secret + "\n");
  return 0;
}

}  // namespace

Outcome<int> join(Call& call) {
  const auto& words = call.arguments.words;
  const std::string& act = words.front();
  if (act == "token" && words.size() == 1) return make_token(call);
  for (const std::string_view flag : {"label", "lasts"}) {
    if (call.arguments.has(flag))
      return fault(Exit::usage, "--" + std::string(flag) + " is of suan join token", "");
  }
  if (act == "list" && words.size() == 1) {
    SUAN_TRY(const std::string body, call.session.get("/v1/members"));
    return show<api::MemberList>(call, body, print_members);
  }
  if ((act == "approve" || act == "refuse") && words.size() == 2) {
    const std::string target = "/v1/members/" + net::percent_encode(words[1]) + "/" + act;
    SUAN_TRY(const api::Accepted accepted, call.session.change(net::Method::post, target, ""));
    if (!call.is_for_people()) return print_body(call, wire::to_json(accepted));
    call.screen.print(words[1] + " is " + act + "d\n");
    return 0;
  }
  return std::unexpected(wants(usage));
}

Outcome<int> drain(Call& call) {
  const std::string& site = call.arguments.words.front();
  const bool is_undone = call.arguments.has("undo");
  const std::string target =
      "/v1/sites/" + net::percent_encode(site) + (is_undone ? "/resume" : "/drain");
  SUAN_TRY(const api::Accepted accepted, call.session.change(net::Method::post, target, ""));
  if (!call.is_for_people()) return print_body(call, wire::to_json(accepted));
  call.screen.print(site + (is_undone ? " takes work again\n"
                                      : " takes nothing new; what runs there finishes: suan ps\n"));
  return 0;
}

}  // namespace suan::cli
