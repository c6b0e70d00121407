#include "server/join_options.h"

#include <algorithm>
#include <utility>

#include "net/url.h"

namespace suan::server {

namespace {

bool is_loopback(std::string_view host) {
  const bool is_number = host.find_first_not_of("0123456789.") == host.npos;
  return host == "localhost" || host == "::1" || (is_number && host.starts_with("127."));
}

bool is_token(std::string_view text) {
  constexpr std::string_view prefix = "join_";
  return text.starts_with(prefix) && text.size() > prefix.size() &&
         text.find_first_not_of("0123456789abcdef", prefix.size()) == text.npos;
}

std::unexpected<Failure> wrong(std::string text) {
  return failure(Failure::Kind::invalid, std::move(text));
}

}  // namespace

Result<std::string> parse_join_url(std::string_view text) {
  const auto url = net::parse_url(text);
  if (!url) return wrong("--join " + std::string(text) + ": " + url.error().text);
  if (url->target != "/")
    return wrong("--join takes the address of a domain, without a path; got " + std::string(text));
  if (url->scheme == "http" && !is_loopback(url->host))
    return wrong("--join " + std::string(text) +
                 " would cross the network unencrypted: http is for this machine only, say https");
  return url->scheme + "://" + net::print_authority(*url);
}

Result<JoinOptions> make_join_options(const std::vector<std::string_view>& urls,
                                      std::string_view token, std::string_view ca_file) {
  JoinOptions options;
  for (const std::string_view text : urls) {
    SUAN_TRY(std::string url, parse_join_url(text));
    if (std::ranges::find(options.urls, url) == options.urls.end())
      options.urls.push_back(std::move(url));
  }
  if (!token.empty() && !is_token(token))
    return wrong("a join token is join_ and hexadecimal digits: `suan join token` on the parent");
  options.token = token;
  options.ca_file = ca_file;
  return options;
}

}  // namespace suan::server
