#include "uplink/names.h"

#include <algorithm>
#include <utility>

#include "uplink/handshake.h"

namespace suan::uplink {

namespace {

constexpr std::size_t questions_max = 1000;
constexpr std::size_t kept_max = 10'000;
constexpr auto answered_within = std::chrono::seconds(10);
constexpr Span lasts_max = hours(1);

naming::NameAnswer no_answer(const std::string& name) {
  naming::NameAnswer answer;
  answer.problem = "the domain " + name + " does not answer";
  return answer;
}

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

std::uint64_t Names::expect(const void* from, std::string name_of_asked, Done done) {
  if (questions_.size() >= questions_max) return 0;
  questions_.emplace(++last_, Question{from, std::move(name_of_asked), std::move(done),
                                       Steady::now() + answered_within});
  return last_;
}

void Names::hear(const void* from, std::uint64_t number, const naming::NameAnswer& answer) {
  const auto at = questions_.find(number);
  if (at == questions_.end() || at->second.from != from) return;
  Done done = std::move(at->second.done);
  questions_.erase(at);
  done(answer);
}

void Names::tick(Steady::time_point now) {
  std::vector<Question> late;
  for (auto at = questions_.begin(); at != questions_.end();) {
    if (at->second.until > now) {
      ++at;
      continue;
    }
    late.push_back(std::move(at->second));
    at = questions_.erase(at);
  }
  for (Question& each : late) each.done(no_answer(each.name));
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
