#include "cli/session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <sys/random.h>
#include <unistd.h>

#include "api/problem.h"
#include "base/text.h"

namespace suan::cli {

namespace {

constexpr Span retry_span_max = seconds(15);
constexpr Span retry_wait_first = milliseconds(100);
constexpr Span retry_wait_max = seconds(2);

void sleep_for(Span span) {
  const timespec wait{.tv_sec = span.us / 1'000'000, .tv_nsec = span.us % 1'000'000 * 1000};
  ::nanosleep(&wait, nullptr);
}

std::int64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

// Nothing was sent, so nothing can have been done.
bool was_never_sent(const Failure& failure) {
  return failure.kind != Failure::Kind::unavailable || failure.text.starts_with("nobody listens");
}

// An answer that does not tell whether the change was made.
bool is_unsure(const net::Response& response, bool was_lost) {
  return response.status == 500 || response.status == 504 || (response.status == 503 && was_lost);
}

// The server has decided it and cannot say yet whether that will last.
bool is_outcome_unknown(const net::Response& response) {
  return response.status == 503 && to_fault(response).code == "outcome_unknown";
}

Fault no_answer_to(const RequestId& id, Fault fault) {
  const std::string name = print_request_id(id);
  fault.text += ". The request may or may not have been done; it is kept as " + name;
  fault.remedy = "suan run --resume " + name + "   (done at most once)";
  return fault;
}

}  // namespace

Fault to_fault(Failure failure, Exit exit_if_invalid) {
  Exit exit = Exit::failure;
  if (failure.kind == Failure::Kind::unavailable) exit = Exit::unreachable;
  if (failure.kind == Failure::Kind::invalid) exit = exit_if_invalid;
  return {.exit = exit, .text = std::move(failure.text), .pointer = std::move(failure.place)};
}

Fault to_fault(const net::Response& response) {
  Fault fault{.exit = Exit::refused, .status = response.status};
  if (const auto tree = wire::parse_json(response.body)) {
    api::Problem problem;
    wire::JsonReader reader;  // Members that nobody knows are allowed here (RFC 9457 §3.2).
    reader.read(tree->root(), problem);
    fault.text = std::move(problem.detail.empty() ? problem.title : problem.detail);
    fault.pointer = std::move(problem.pointer);
    fault.remedy = std::move(problem.suggestion);
    fault.code = std::move(problem.code);
    for (std::size_t i = 1; i < problem.errors.size(); ++i) {  // The first is the problem's own.
      fault.others.push_back({.exit = Exit::refused,
                              .text = std::move(problem.errors[i].detail),
                              .pointer = std::move(problem.errors[i].pointer),
                              .remedy = std::move(problem.errors[i].suggestion)});
    }
  }
  if (fault.text.empty()) {
    fault.text = "the server answered " + std::to_string(response.status) + " " +
                 std::string(net::reason_phrase(response.status));
  }
  if (response.status == 401 && fault.remedy.empty()) fault.remedy = "suan login";
  return fault;
}

RequestId new_request_id() {
  std::uint64_t chance[2] = {};
  if (::getrandom(chance, sizeof chance, 0) != sizeof chance) {
    chance[0] = static_cast<std::uint64_t>(monotonic_us());
    chance[1] = static_cast<std::uint64_t>(::getpid());
  }
  return make_request_id(wall_clock_us() / 1000, chance[0], chance[1]);
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out.push_back(c);
  }
  return out + "'";
}

std::string print_curl(const Settings& settings, const net::Request& request) {
  std::string_view url = settings.url;
  std::string out = "curl -sS";
  if (url.starts_with("https:") && !settings.ca_file.empty())
    out.append(" --cacert ").append(shell_word(settings.ca_file));
  if (request.method != net::Method::get)
    out.append(" -X ").append(net::print_method(request.method));
  if (url.starts_with("unix:")) {
    out.append(" --unix-socket ").append(shell_word(url.substr(5)));
    url = "http://localhost";
  }
  out.append(" ").append(shell_word(std::string(url) + request.target));
  for (const net::Header& header : request.headers) {
    const bool is_key = header.name == "Authorization";
    out.append(" \\\n  -H ");
    out.append(is_key ? "\"Authorization: Bearer $SUAN_KEY\""
                      : shell_word(header.name + ": " + header.value));
  }
  if (!request.body.empty()) out.append(" \\\n  --data-binary ").append(shell_word(request.body));
  return out + "\n";
}

std::string requests_directory() {
  return state_directory() + "/requests";
}

Outcome<void> store_request(const StoredRequest& request) {
  const std::string directory = requests_directory();
  const std::string path = directory + "/" + print_request_id(request.id);
  const std::string text = request.url + "\n" + request.method + "\n" + request.target + "\n" +
                           std::to_string(request.body.size()) + "\n" + request.body;
  if (write_new_file(path, text)) return {};
  if (errno == ENOENT && make_directories(directory) && write_new_file(path, text)) return {};
  return fault(Exit::failure, "cannot store the request in " + path + ": " + std::strerror(errno));
}

void forget_request(const RequestId& id) {
  ::unlink((requests_directory() + "/" + print_request_id(id)).c_str());
}

Outcome<StoredRequest> read_stored_request(std::string_view id) {
  constexpr std::size_t bytes_max = std::size_t{4} << 20U;
  const auto parsed = parse_request_id(id);
  if (!parsed) return fault(Exit::usage, "'" + std::string(id) + "' is not the id of a request");
  const std::string path = requests_directory() + "/" + print_request_id(*parsed);
  if (::access(path.c_str(), F_OK) != 0) {
    return fault(Exit::usage, "no request " + std::string(id) + " is stored: it was answered");
  }
  SUAN_TRY(const std::string text, read_file(path, bytes_max));
  std::string_view rest = text;
  const auto line = [&] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string taken(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
  };
  StoredRequest request{.id = *parsed, .url = line(), .method = line(), .target = line()};
  const auto size = parse_integer(line());
  if (!size || *size < 0 || static_cast<std::size_t>(*size) != rest.size()) {
    return fault(Exit::failure, path + " was not written to its end, so it was never sent",
                 "remove it");
  }
  request.body = rest;
  return request;
}

Session::Session(Settings settings, Screen& screen, bool shows_curl, Span patience)
    : settings_(std::move(settings)),
      screen_(screen),
      client_(settings_.url, {.connect_timeout = std::min(patience, seconds(5)),
                              .answer_timeout = patience,
                              .ca_file = settings_.ca_file}),
      retry_span_(std::min(patience, retry_span_max)),
      shows_curl_(shows_curl) {}

Fault Session::misunderstood(const Failure& failure) {
  return {.exit = Exit::failure,
          .text = "the server's answer is not what this version of suan knows: " + failure.text +
                  (failure.place.empty() ? "" : " at " + failure.place),
          .remedy = "-o json, or the server's version of suan"};
}

net::Request Session::make_request(net::Method method, std::string_view target,
                                   std::string_view body) const {
  net::Request request;
  request.method = method;
  request.target = target;
  if (!settings_.key.empty() || shows_curl_) {
    request.headers.add("Authorization", "Bearer " + settings_.key);
  }
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = body;
  return request;
}

Outcome<net::Response> Session::exchange(const net::Request& request) {
  if (shows_curl_) {
    screen_.print(print_curl(settings_, request));
    return std::unexpected(Fault{.exit = Exit::ok});
  }
  auto response = client_.send(request);
  if (!response) {
    Fault fault = to_fault(std::move(response).error());
    fault.pointer.clear();
    return std::unexpected(std::move(fault));
  }
  if (response->status / 100 != 2) return std::unexpected(to_fault(*response));
  return *std::move(response);
}

Outcome<std::string> Session::get(std::string_view target) {
  SUAN_TRY(net::Response response, exchange(make_request(net::Method::get, target, "")));
  return std::move(response.body);
}

Outcome<std::string> Session::ask(std::string_view target, std::string_view body) {
  SUAN_TRY(net::Response response, exchange(make_request(net::Method::post, target, body)));
  return std::move(response.body);
}

Outcome<std::string> Session::put(std::string_view target, std::string_view bytes) {
  net::Request request = make_request(net::Method::put, target, "");
  request.headers.add("Content-Type", "application/octet-stream");
  request.body = bytes;
  SUAN_TRY(net::Response response, exchange(request));
  return std::move(response.body);
}

Session::Delivery Session::send_until_answered(const net::Request& request) {
  const std::int64_t deadline_us = monotonic_us() + retry_span_.us;
  Span wait = retry_wait_first;
  bool was_lost = false;  // Some sending of it had no answer.
  while (true) {
    auto response = client_.send(request);
    const bool is_busy = response && response->status == 503;
    was_lost = was_lost || (!response && !was_never_sent(response.error())) ||
               (response && is_outcome_unknown(*response));
    const bool is_worth = is_busy || (!response && was_lost);
    if (!is_worth || monotonic_us() + wait.us > deadline_us) {
      const bool may_be_done = response ? is_unsure(*response, was_lost) : was_lost;
      return {std::move(response), may_be_done};
    }
    screen_.show_progress(is_busy ? "the server is busy; trying again …"
                                  : "the connection was lost; trying again …");
    sleep_for(wait);
    wait = std::min(wait * 2, retry_wait_max);
  }
}

Outcome<api::Accepted> Session::deliver(net::Method method, const StoredRequest& stored) {
  net::Request request = make_request(method, stored.target, stored.body);
  request.headers.add("Idempotency-Key", print_request_id(stored.id));
  if (shows_curl_) {
    screen_.print(print_curl(settings_, request));
    return std::unexpected(Fault{.exit = Exit::ok});
  }
  const auto [response, may_be_done] = send_until_answered(request);
  screen_.show_progress("");
  if (!may_be_done) forget_request(stored.id);
  if (response && response->status / 100 == 2) return parse<api::Accepted>(response->body);
  Fault wrong = response ? to_fault(*response) : to_fault(response.error());
  if (!response) wrong.pointer.clear();
  return std::unexpected(may_be_done ? no_answer_to(stored.id, std::move(wrong))
                                     : std::move(wrong));
}

Outcome<api::Accepted> Session::change(net::Method method, std::string_view target,
                                       std::string_view body) {
  const StoredRequest stored{.id = new_request_id(),
                             .url = settings_.url,
                             .method = std::string(net::print_method(method)),
                             .target = std::string(target),
                             .body = std::string(body)};
  if (!shows_curl_) SUAN_CHECK(store_request(stored));
  return deliver(method, stored);
}

Outcome<api::Accepted> Session::resume(std::string_view id) {
  SUAN_TRY(const StoredRequest stored, read_stored_request(id));
  if (stored.url != settings_.url) {
    return fault(Exit::usage, "request " + std::string(id) + " is for " + stored.url,
                 "--url " + stored.url);
  }
  const auto method = net::parse_method(stored.method);
  if (!method) return fault(Exit::failure, "the stored request has no method");
  return deliver(*method, stored);
}

Outcome<void> Session::stream(std::string_view target, net::StreamReader reader) {
  const net::Request request = make_request(net::Method::get, target, "");
  if (shows_curl_) {
    screen_.print(print_curl(settings_, request));
    return std::unexpected(Fault{.exit = Exit::ok});
  }
  auto response = client_.stream(request, std::move(reader));
  if (!response) {
    Fault fault = to_fault(std::move(response).error());
    fault.pointer.clear();
    return std::unexpected(std::move(fault));
  }
  if (response->status / 100 != 2) return std::unexpected(to_fault(*response));
  return {};
}

}  // namespace suan::cli
