#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/money.h"
#include "server/join_options.h"
#include "site/site_file.h"

/// The composition root of `suan serve`: builds a domain from its parts and runs it.
namespace suan::server {

struct ServeOptions {
  std::string name = "local";  // Of the domain; only at its first start.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8901;         // 0 = any free one, which `ready` tells.
  std::string tls_certificate_file;  // PEM; with it TCP speaks TLS. SIGHUP reads both again.
  std::string tls_key_file;          // PEM.
  std::string state_directory;       // Made if absent, mode 0700.
  std::string heads_file;            // A second place for signed heads; "" = none.
  std::string images_directory;      // Jobs may run inside the images in it; "" = none.
  std::string stores_file;           // Of rclone: where inputs come from and outputs go; "" = none.
  std::string site = "here";
  std::string city;                         // A city of data/hubs.csv gives the site its place.
  std::string region;                       // ISO 3166-2: "cn-sh".
  Money card_hour = yuan(25);               // Posted prices of this machine.
  Money core_hour = {150'000};              // 0.15 CNY.
  std::int64_t cores = 0;                   // To offer; 0 = all that are found.
  std::optional<site::SiteFile> site_file;  // Says which engine; the fields above follow it.
  JoinOptions join;
  std::uint64_t space_low_bytes = 64U << 20U;
};

/// Takes over what a site file says of the site, its prices and its cores.
void take_site_file(ServeOptions&, site::SiteFile);

/// Runs until SIGTERM or SIGINT, then finishes what was asked and returns 0. The jobs go on. Prints
/// one line when ready. Returns 1 with a sentence on stderr when it cannot start; 70 when the
/// journal became uncertain, which only a new start can resolve.
int serve(const ServeOptions&);

}  // namespace suan::server
