#include "naming/identifier.h"

#include <algorithm>

namespace suan::naming {

namespace {

constexpr std::size_t name_size_max = 63;
constexpr std::size_t domains_max = 16;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_size_max && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::string_view take_until(std::string_view& rest, char mark) {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

class StandardCodec final : public Codec {
 public:
  std::string_view scheme() const override { return "suan"; }

  Result<Identifier> parse(std::string_view text) const override {
    const auto wrong = [&] {
      return failure(Failure::Kind::invalid,
                     "\"" + std::string(text.substr(0, 200)) +
                         "\" is no identifier: write suan:DOMAIN, with the domains above before it "
                         "(suan:cn:hubei:wuhan), then /SITE or /SITE/POOL");
    };
    std::string_view rest = text;
    if (take_until(rest, ':') != scheme() || rest.empty() || text.ends_with('/')) return wrong();
    const std::size_t slashes = static_cast<std::size_t>(std::ranges::count(rest, '/'));
    if (slashes > 2) return wrong();
    std::string_view domains = take_until(rest, '/');
    Identifier identifier;
    if (domains.ends_with(':')) return wrong();
    while (!domains.empty()) {
      const std::string_view name = take_until(domains, ':');
      if (!is_name(name) || identifier.domains.size() == domains_max) return wrong();
      identifier.domains.emplace_back(name);
    }
    if (identifier.domains.empty()) return wrong();
    if (slashes == 0) return identifier;
    identifier.site = take_until(rest, '/');
    identifier.pool = rest;
    if (!is_name(identifier.site) || (slashes == 2 && !is_name(identifier.pool))) return wrong();
    return identifier;
  }

  std::string print(const Identifier& identifier) const override {
    std::string text(scheme());
    for (const std::string& each : identifier.domains) text += ":" + each;
    if (!identifier.site.empty()) text += "/" + identifier.site;
    if (!identifier.pool.empty()) text += "/" + identifier.pool;
    return text;
  }
};

}  // namespace

const Codec& standard_codec() {
  static const StandardCodec codec;
  return codec;
}

void Codecs::add(const Codec& codec) {
  std::erase_if(codecs_, [&](const Codec* each) { return each->scheme() == codec.scheme(); });
  codecs_.push_back(&codec);
}

Result<Identifier> Codecs::parse(std::string_view text) const {
  const std::string_view scheme = text.substr(0, text.find(':'));
  for (const Codec* each : codecs_)
    if (each->scheme() == scheme) return each->parse(text);
  return standard_codec().parse(text);  // Which says what the right form is.
}

bool lies_below(const std::vector<std::string>& domains, const std::vector<std::string>& path) {
  return domains.size() >= path.size() && std::equal(path.begin(), path.end(), domains.begin());
}

}  // namespace suan::naming
