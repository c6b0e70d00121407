#include "uplink/names.h"

#include <algorithm>
#include <utility>

#include "uplink/handshake.h"

namespace suan::uplink {

namespace {

constexpr std::size_t kept_max = 10'000;
constexpr Span lasts_max = hours(1);

}  // namespace

std::string find_name_fault(const naming::NameAnswer& answer, const naming::Identifier& identifier,
                            const std::set<Digest>& trusted) {
  const naming::Codec& codec = naming::standard_codec();
  if (answer.record.identifier != codec.print(identifier))
    return "the answer is about another name";
  if (!is_signed(answer.record)) return "the record is not signed by the key that it names";
  if (answer.chain.empty())
    return trusted.contains(answer.record.key) ? ""
                                               : "nobody above vouches for the key that signed it";
  // The first is signed by somebody who is known, each of the others by the one before it.
  const auto first = std::ranges::find_if(
      trusted, [&](const Digest& key) { return is_signed(answer.chain.front(), key); });
  if (first == trusted.end()) return "the first delegation is not signed by a domain above";
  Digest key = *first;
  for (const naming::Delegation& each : answer.chain) {
    auto parent = codec.parse(each.parent);
    if (!parent || parent->kind() != naming::Kind::domain || !is_signed(each, key))
      return "a delegation is not signed by the domain above it";
    parent->domains.push_back(each.child);
    if (!naming::lies_below(identifier.domains, parent->domains))
      return "a delegation leads elsewhere";
    key = each.key;
  }
  const std::size_t depth = codec.parse(answer.chain.back().parent)->domains.size() + 1;
  if (depth != identifier.domains.size() || key != answer.record.key)
    return "the record is not signed by the domain that it is about";
  return {};
}

void Names::tick(Steady::time_point now) {
  Questions::tick(now);
  std::erase_if(kept_, [&](const auto& each) { return each.second.until <= now; });
}

// By the clock of this machine, from when it came.
void Names::keep(const naming::NameAnswer& answer, Steady::time_point now) {
  const Span lasts = std::clamp(answer.record.lasts, Span{}, lasts_max);
  if (kept_.size() >= kept_max || lasts == Span{}) return;
  kept_[answer.record.identifier] = {answer, now + std::chrono::microseconds(lasts.us)};
}

std::optional<Resolution> Names::find(const std::string& identifier, Steady::time_point now) const {
  const auto at = kept_.find(identifier);
  if (at == kept_.end() || at->second.until <= now) return std::nullopt;
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(at->second.until - now);
  return Resolution{at->second.answer, Span{left.count()}, true};
}

}  // namespace suan::uplink
