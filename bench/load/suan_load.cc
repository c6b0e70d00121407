// Closed-loop load on one HTTP route; prints one JSON object.
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <sys/random.h>

#include "base/digest.h"
#include "base/random.h"
#include "net/load.h"
#include "net/url.h"

namespace {

using namespace suan;

// A body or a header as pieces of text between `{uuid7}` and `{n}`.
struct Template {
  enum class Kind : std::uint8_t { text, uuid7, number };
  struct Piece {
    Kind kind;
    std::string text;
  };
  std::vector<Piece> pieces;
};

Template parse_template(std::string_view text) {
  Template out;
  std::string plain;
  while (!text.empty()) {
    const bool is_uuid = text.starts_with("{uuid7}");
    const bool is_number = text.starts_with("{n}");
    if (!is_uuid && !is_number) {
      plain += text.front();
      text.remove_prefix(1);
      continue;
    }
    out.pieces.push_back({Template::Kind::text, std::exchange(plain, {})});
    out.pieces.push_back({is_uuid ? Template::Kind::uuid7 : Template::Kind::number, {}});
    text.remove_prefix(is_uuid ? 7 : 3);
  }
  out.pieces.push_back({Template::Kind::text, plain});
  return out;
}

std::int64_t unix_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

struct Filler {
  Template pattern;
  Random random;
  std::uint64_t number = 0;

  void operator()(std::string& body) {
    ++number;
    for (const Template::Piece& piece : pattern.pieces) {
      if (piece.kind == Template::Kind::text)
        body += piece.text;
      else if (piece.kind == Template::Kind::number)
        body += std::to_string(number);
      else
        body += print_request_id(make_request_id(unix_ms(), random.next(), random.next()));
    }
  }
};

int run(net::LoadPlan& plan) {
  const auto report = net::run_load(plan);
  if (!report) {
    std::fprintf(stderr, "suan_load: %s\n", report.error().text.c_str());
    return 1;
  }
  std::puts(net::print_report(*report).c_str());
  return report->errors.empty() ? 0 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Closed-loop load on one HTTP route; prints one JSON object. Exit 3 on any error."};
  std::string url = "http://127.0.0.1:8901/";
  std::string method = "POST";
  std::string template_file;
  std::vector<std::string> headers;
  double duration_s = 10;
  net::LoadPlan plan;
  app.add_option("--url", url, "http://host:port/path?query")->capture_default_str();
  app.add_option("--method", method, "the HTTP method")->capture_default_str();
  app.add_option("--connections", plan.connections, "kept open, each with one request at a time")
      ->capture_default_str();
  app.add_option("--seconds", duration_s, "how long")->capture_default_str();
  app.add_option("--header", headers, "Name: value; {uuid7} and {n} are filled in; may repeat");
  app.add_option("--body-template", template_file, "a file; {uuid7} and {n} are filled in");
  app.add_option("--expect-status", plan.expect_status, "what counts as success; default any 2xx");
  CLI11_PARSE(app, argc, argv);

  const auto parsed_url = net::parse_url(url);
  const auto parsed_method = net::parse_method(method);
  if (!parsed_url || !parsed_method) {
    std::fprintf(stderr, "suan_load: %s\n",
                 parsed_url ? "unknown --method" : parsed_url.error().text.c_str());
    return 2;
  }
  plan.place = parsed_url->scheme + "://" + net::print_authority(*parsed_url);
  plan.target = parsed_url->target;
  plan.method = *parsed_method;
  plan.duration = Span{static_cast<std::int64_t>(duration_s * 1e6)};
  std::string changing;
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == header.npos) {
      std::fprintf(stderr, "suan_load: --header wants Name: value\n");
      return 2;
    }
    const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    if (header.find("{uuid7}") != header.npos || header.find("{n}") != header.npos)
      changing += header + "\r\n";
    else
      plan.headers.add(header.substr(0, colon), header.substr(value));
  }
  std::string body;
  if (!template_file.empty()) {
    std::ifstream file(template_file, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "suan_load: cannot read %s\n", template_file.c_str());
      return 2;
    }
    body.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) return 1;
  Random random(seed);
  if (!changing.empty())
    plan.make_headers = Filler{.pattern = parse_template(changing), .random = random.split()};
  plan.make_body = Filler{.pattern = parse_template(body), .random = random.split()};
  return run(plan);
}
