#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Identifiers (算力标识): the unique names of domains, sites and pools, resolved level by level.
/// The official structure of the code is not published; this one is our own, and others can be put
/// beside it.
namespace suan::naming {

enum class Kind : std::uint8_t { domain, site, pool };

/// What a name stands for: the domains from the root down to the one that has it, then a site of
/// that domain, then a pool of that site.
struct Identifier {
  std::vector<std::string> domains;  // At least one.
  std::string site;                  // "" = the domain itself.
  std::string pool;                  // "" = the site itself.

  Kind kind() const { return site.empty() ? Kind::domain : pool.empty() ? Kind::site : Kind::pool; }
  friend bool operator==(const Identifier&, const Identifier&) = default;
};

/// One way to write identifiers down.
class Codec {
 public:
  virtual ~Codec() = default;

  /// What all its texts begin with, up to the first colon: "suan".
  virtual std::string_view scheme() const = 0;

  /// `invalid` with the right form. What it takes, `print` gives back.
  virtual Result<Identifier> parse(std::string_view text) const = 0;
  virtual std::string print(const Identifier&) const = 0;
};

/// "suan:cn:hubei:wuhan-lab/wuhan/h800": domains by colons, then site and pool by slashes. Names
/// are 1 to 63 of a-z, 0-9, dash, underscore and dot.
const Codec& standard_codec();

/// Several codecs, by their schemes.
class Codecs {
 public:
  Codecs() { add(standard_codec()); }

  /// `codec` outlives this. A later one of the same scheme takes the place of the earlier.
  void add(const Codec& codec);

  /// `invalid` also where no codec has such a scheme.
  Result<Identifier> parse(std::string_view text) const;

 private:
  std::vector<const Codec*> codecs_;
};

/// Whether `domains` begins with `path`.
bool lies_below(const std::vector<std::string>& domains, const std::vector<std::string>& path);

}  // namespace suan::naming
