#include <cstdlib>
#include <string>

#include "base/text.h"
#include "cli/call.h"
#include "cli/views_text.h"
#include "net/url.h"

namespace suan::cli {

namespace {

constexpr std::size_t key_bytes_max = 4096;

/// Bodies of POST requests (the HTTP API's, field by field).
struct NewProject {
  std::string name = {};
  std::string organisation = {};

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name);
    visit(2, "organisation", self.organisation);
  }
};

struct Deposit {
  Money amount = {};
  std::string text = {};

  static void fields(auto&& visit, auto& self) {
    visit(1, "amount", self.amount);
    visit(2, "text", self.text);
  }
};

struct NewKey {
  std::string user = {};
  std::string organisation = {};
  std::string role = {};
  std::vector<std::string> projects = {};
  std::string label = {};

  static void fields(auto&& visit, auto& self) {
    visit(1, "user", self.user);
    visit(2, "organisation", self.organisation);
    visit(3, "role", self.role);
    visit(4, "projects", self.projects);
    visit(5, "label", self.label);
  }
};

Outcome<int> say(Call& call, const api::Accepted& accepted, std::string_view what) {
  if (!call.is_for_people()) return print_body(call, wire::to_json(accepted));
  call.screen.print(accepted.id + " " + std::string(what) + "\n");
  return 0;
}

Outcome<std::string> read_key(Call& call, const std::string& url) {
  std::string key;
  if (call.arguments.has("key")) {
    key = call.arguments.value("key");
  } else if (call.arguments.has("key-file")) {
    SUAN_TRY(key, read_file(std::string(call.arguments.value("key-file")), key_bytes_max,
                            call.screen.in()));
  } else if (call.screen.can_ask()) {
    key = call.screen.ask_secret("Key for " + url + ": ");
  } else {
    return fault(Exit::usage, "there is no terminal to ask for the key on", "--key-file FILE");
  }
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) {
    key.pop_back();
  }
  if (key.empty() || key.find_first_of(" \t\r\n") != key.npos) {
    return fault(Exit::usage, "that is not a key: it must be one word", "a key begins with suan_");
  }
  return key;
}

// A remembered file must be found from anywhere.
std::string absolute(const std::string& path) {
  char* const whole = path.empty() ? nullptr : ::realpath(path.c_str(), nullptr);
  std::string out = whole ? whole : path;
  std::free(whole);
  return out;
}

}  // namespace

Fault wants(std::string_view usage) {
  return {.exit = Exit::usage,
          .text = "something is missing or too much",
          .remedy = std::string(usage)};
}

Outcome<int> stop(Call& call) {
  std::vector<std::string> jobs;
  for (const std::string& word : call.arguments.words) {
    SUAN_TRY(std::string job, job_name(word));
    jobs.push_back(std::move(job));
  }
  Outcome<int> worst = 0;
  for (const std::string& job : jobs) {
    const std::string target = "/v1/jobs/" + job + "/cancel";
    auto accepted = call.session.change(net::Method::post, target, "");
    if (!accepted) {
      Fault wrong = std::move(accepted).error();
      if (wrong.exit != Exit::refused || jobs.size() == 1) {
        if (wrong.exit == Exit::ok) continue;
        return std::unexpected(std::move(wrong));
      }
      call.screen.note("error: " + job + ": " + wrong.text + "\n");
      worst = static_cast<int>(wrong.exit);
      continue;
    }
    SUAN_CHECK(say(call, *accepted, "is stopping"));
  }
  return worst;
}

Outcome<int> login(Call& call) {
  const Arguments& arguments = call.arguments;
  Config config{.url = call.session.settings().url};
  if (!arguments.words.empty()) config.url = arguments.words.front();
  while (config.url.ends_with('/')) config.url.pop_back();
  if (!config.url.starts_with("unix:")) {
    if (config.url.find("://") == config.url.npos) config.url = "http://" + config.url;
    const auto url = net::parse_url(config.url);
    if (!url) return std::unexpected(to_fault(url.error(), Exit::usage));
  }
  config.ca_file = absolute(call.session.settings().ca_file);
  SUAN_TRY(config.key, read_key(call, config.url));
  Session session(
      {.url = config.url, .key = config.key, .key_from = "login", .ca_file = config.ca_file},
      call.screen, arguments.has("curl"));
  SUAN_TRY(const std::string body, session.get("/v1/me"));
  SUAN_TRY(const api::MeView me, Session::parse<api::MeView>(body));
  SUAN_CHECK(write_config(config));
  if (!call.is_for_people()) return print_body(call, body);
  call.screen.print("You are " + me.user + " (" + me.role + ") at " + config.url + "; kept in " +
                    config_path() + "\n");
  return 0;
}

Outcome<int> key(Call& call) {
  const Arguments& arguments = call.arguments;
  const auto& words = arguments.words;
  if (words.front() == "list" && words.size() == 1) {
    SUAN_TRY(const std::string body, call.session.get("/v1/keys"));
    return show<api::KeyList>(call, body, print_keys);
  }
  if (words.size() != 2) return std::unexpected(wants("suan key create USER | list | revoke KEY"));
  if (words.front() == "revoke") {
    const std::string target = "/v1/keys/" + net::percent_encode(words[1]);
    SUAN_TRY(const api::Accepted accepted, call.session.change(net::Method::delete_, target, ""));
    return say(call, accepted, "is revoked");
  }
  if (words.front() != "create") return std::unexpected(wants("suan key list"));
  NewKey wanted{.user = words[1],
                .organisation = std::string(arguments.value("organisation")),
                .role = std::string(arguments.value("role", "consumer")),
                .label = std::string(arguments.value("label"))};
  for (const std::string_view name : arguments.values("project"))
    wanted.projects.emplace_back(name);
  SUAN_TRY(const api::Accepted accepted,
           call.session.change(net::Method::post, "/v1/keys", wire::to_json(wanted)));
  if (!call.is_for_people()) return print_body(call, wire::to_json(accepted));
  call.screen.note(accepted.id + " for " + wanted.user + "; this is shown only now:\n");
  call.screen.print(accepted.secret + "\n");
  return 0;
}

Outcome<int> project(Call& call) {
  const Arguments& arguments = call.arguments;
  const auto& words = arguments.words;
  if (words.front() == "list" && words.size() == 1) {
    SUAN_TRY(const std::string body, call.session.get("/v1/projects"));
    return show<api::ProjectList>(call, body, print_projects);
  }
  if (words.front() == "create" && words.size() == 2) {
    const NewProject wanted{.name = words[1],
                            .organisation = std::string(arguments.value("organisation"))};
    SUAN_TRY(const api::Accepted accepted,
             call.session.change(net::Method::post, "/v1/projects", wire::to_json(wanted)));
    return say(call, accepted, "is made");
  }
  if (words.front() == "fund" && words.size() == 3) {
    const auto amount = parse_money(words[2]);
    if (!amount || amount->micro <= 0) {
      return fault(Exit::usage, "'" + words[2] + "' is not an amount of CNY",
                   "such as 100 or 12.5");
    }
    const Deposit deposit{.amount = *amount, .text = std::string(arguments.value("text"))};
    const std::string target = "/v1/projects/" + net::percent_encode(words[1]) + "/deposits";
    SUAN_TRY(const api::Accepted accepted,
             call.session.change(net::Method::post, target, wire::to_json(deposit)));
    return say(call, accepted, "is booked");
  }
  return std::unexpected(wants("suan project create NAME | list | fund NAME AMOUNT"));
}

}  // namespace suan::cli
