// The part of Uplinks that resolves identifiers: here, below, or above.
#include <set>
#include <utility>

#include "uplink/handshake.h"
#include "uplink/uplinks.h"

namespace suan::uplink {

namespace {

constexpr Span name_lasts = minutes(1);

naming::NameAnswer no(std::string problem) {
  naming::NameAnswer answer;
  answer.problem = std::move(problem);
  return answer;
}

// A site of this domain itself: one that some pool of an engine of it is in.
const Site* find_site(const domain::State& state, std::string_view name) {
  for (const auto& [id, pool] : state.catalogue().pools()) {
    if (pool.remote) continue;
    const Site& site = state.catalogue().sites().at(pool.site);
    if (site.name == name) return &site;
  }
  return nullptr;
}

const Pool* find_pool(const domain::State& state, SiteId site, std::string_view name) {
  for (const auto& [id, pool] : state.catalogue().pools())
    if (!pool.remote && pool.site == site && pool.name == name) return &pool;
  return nullptr;
}

// What is said of it beyond this domain has no numbers of this domain.
void fill(naming::NameRecord& record, const Site& site, const Pool* pool) {
  record.site = site;
  record.site.id = {};
  if (pool == nullptr) return;
  record.pool = *pool;
  record.pool.id = {};
  record.pool.site = {};
  record.pool.member = {};
}

}  // namespace

// What this domain is called: as many names as there are ways to it from a root.
std::vector<Uplinks::Path> Uplinks::paths() const {
  std::vector<Path> all;
  for (const auto& each : above_) {
    if (each->path().empty()) continue;
    all.push_back(each->path());
    all.back().push_back(ground_.domain);
  }
  if (all.empty()) all.push_back({ground_.domain});
  return all;
}

Uplinks::Path Uplinks::path() const {
  return paths().front();
}

void Uplinks::resolve(std::string text, Callback<void(Resolution)> done) {
  auto held = std::make_shared<Callback<void(Resolution)>>(std::move(done));
  const auto tell = [held](naming::NameAnswer answer) {
    const Span lasts = answer.record.lasts;
    (*held)({std::move(answer), lasts, false});
  };
  worker_.post([this, text = std::move(text), held, tell] {
    const auto identifier = codecs_.parse(text);
    if (!identifier && text.find(':') == std::string::npos) return name_pool(text, tell);
    if (!identifier) return tell(no(identifier.error().text));
    const auto kept =
        names_.find(naming::standard_codec().print(*identifier), Names::Steady::now());
    if (kept) return (*held)(*kept);
    find_name(*identifier, tell);
  });
}

// "site/pool", as the catalogue here calls it.
void Uplinks::name_pool(const std::string& text, Names::Done done) {
  auto held = std::make_shared<Names::Done>(std::move(done));
  const bool is_asked = ground_.look([this, text, held](const runtime::View& view) -> Ground::Then {
    const auto& catalogue = view.state.catalogue();
    for (const auto& [id, pool] : catalogue.pools())
      if (catalogue.sites().at(pool.site).name + "/" + pool.name == text)
        return [this, id, held] {
          name_pool(id, path(), [held](naming::NameAnswer answer) { (*held)(std::move(answer)); });
        };
    return [held, text] {
      (*held)(no("there is no pool " + text + " here; identifiers begin with suan:"));
    };
  });
  if (!is_asked) (*held)(no("too many queries wait; try again"));
}

void Uplinks::find_name(const naming::Identifier& identifier, Names::Done done) {
  for (const Path& own : paths())
    if (naming::lies_below(identifier.domains, own))
      return find_below(identifier, own.size(), std::move(done));
  ask_above(identifier, std::move(done));
}

// The first `depth` names lead here. What comes from above goes no way but down.
void Uplinks::find_below(const naming::Identifier& identifier, std::size_t depth,
                         Names::Done done) {
  const auto& domains = identifier.domains;
  if (depth == domains.size()) return answer_here(identifier, std::move(done));
  const Path own(domains.begin(), domains.begin() + static_cast<std::ptrdiff_t>(depth));
  ask_below(domains[depth], own, {0, naming::standard_codec().print(identifier), {}, 0},
            std::move(done));
}

void Uplinks::answer_here(const naming::Identifier& identifier, Names::Done done) {
  auto held = std::make_shared<Names::Done>(std::move(done));
  const bool is_asked =
      ground_.look([this, identifier, held](const runtime::View& view) -> Ground::Then {
        naming::NameRecord record;
        record.identifier = naming::standard_codec().print(identifier);
        if (identifier.kind() != naming::Kind::domain) {
          const Site* site = find_site(view.state, identifier.site);
          const Pool* pool = site == nullptr || identifier.pool.empty()
                                 ? nullptr
                                 : find_pool(view.state, site->id, identifier.pool);
          if (site == nullptr || (pool == nullptr && !identifier.pool.empty()))
            return [held, what = site == nullptr ? "site" : "pool"] {
              (*held)(no(std::string("the domain has no such ") + what));
            };
          fill(record, *site, pool);
        }
        return [this, record, held] { (*held)(certify(record)); };
      });
  if (!is_asked) (*held)(no("too many queries wait there; try again"));
}

naming::NameAnswer Uplinks::certify(naming::NameRecord record) const {
  record.issued = ground_.clock.now();
  record.lasts = name_lasts;
  sign(record, ground_.key);
  return {.problem = {}, .record = std::move(record), .chain = {}};
}

// A pool by its number here, for who calls this domain so: one of a sub-domain is for that to name.
void Uplinks::name_pool(PoolId id, const Path& own, Names::Done done) {
  auto held = std::make_shared<Names::Done>(std::move(done));
  const bool is_asked =
      ground_.look([this, id, own, held](const runtime::View& view) -> Ground::Then {
        const Pool* pool = view.state.catalogue().pools().find(id);
        if (pool == nullptr) return [held] { (*held)(no("there is no such pool")); };
        if (pool->remote) {
          const std::string& member = view.state.catalogue().members().at(pool->member).name;
          return [this, member, own, remote = pool->remote, held] {
            ask_below(member, own, {0, "", remote, 0},
                      [held](naming::NameAnswer answer) { (*held)(std::move(answer)); });
          };
        }
        const Site& site = view.state.catalogue().sites().at(pool->site);
        naming::NameRecord record;
        fill(record, site, pool);
        return [this, record, own, held]() mutable {
          record.identifier =
              naming::standard_codec().print({own, record.site.name, record.pool.name});
          (*held)(certify(std::move(record)));
        };
      });
  if (!is_asked) (*held)(no("too many queries wait there; try again"));
}

// The answer gets the word of this domain on whose key that is.
void Uplinks::ask_below(const std::string& child, const Path& own, AskChild question,
                        Names::Done done) {
  std::shared_ptr<Below> below;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [member, each] : live_)
      if (each->name() == child) below = each;
  }
  if (!below)
    return done(no("there is no domain " + child + " below " + ground_.domain +
                   ", or it cannot be reached now"));
  auto held = std::make_shared<Names::Done>(std::move(done));
  const std::uint64_t number = names_.expect(
      below.get(), child, [this, child, own, key = below->key(), held](naming::NameAnswer answer) {
        if (answer.problem.empty()) {
          naming::Delegation delegation{.parent = naming::standard_codec().print({own, "", ""}),
                                        .child = child,
                                        .key = key,
                                        .issued = ground_.clock.now(),
                                        .signature = {}};
          sign(delegation, ground_.key);
          answer.chain.insert(answer.chain.begin(), std::move(delegation));
        }
        (*held)(std::move(answer));
      });
  question.number = number;
  question.depth = static_cast<std::uint32_t>(own.size() + 1);
  if (question.pool) {
    Path its = own;
    its.push_back(child);
    question.identifier = naming::standard_codec().print({its, "", ""});
  }
  if (number == 0) return (*held)(no("too much is asked there; try again"));
  if (!below->ask(question))
    names_.hear(below.get(), number, no("the domain " + child + " knows no names yet"));
}

// What comes is believed only as far as it is signed.
void Uplinks::ask_above(const naming::Identifier& identifier, Names::Done done) {
  const std::string text = naming::standard_codec().print(identifier);
  if (const auto kept = names_.find(text, Names::Steady::now())) return done(kept->answer);
  auto held = std::make_shared<Names::Done>(std::move(done));
  for (const auto& each : above_) {
    const std::uint64_t number =
        names_.expect(each.get(), "above", [this, identifier, held](naming::NameAnswer answer) {
          if (answer.problem.empty()) {
            std::set<Digest> trusted;
            for (const Digest& key : ancestors()) trusted.insert(key);
            const std::string fault = find_name_fault(answer, identifier, trusted);
            if (!fault.empty()) answer = no(fault);
          }
          if (answer.problem.empty()) names_.keep(answer, Names::Steady::now());
          (*held)(std::move(answer));
        });
    if (number != 0 && each->ask(AskParent{number, text})) return;
    if (number != 0) names_.forget(number);
  }
  (*held)(no(above_.empty() ? "no domain that is known here is called so"
                            : "no domain above can be asked now"));
}

void Uplinks::on_question(const std::shared_ptr<Below>& below, const AskParent& question) {
  const auto identifier = naming::standard_codec().parse(question.identifier);
  if (!identifier) {
    below->answer({question.number, no(identifier.error().text)});
    return;
  }
  find_name(*identifier, [below, number = question.number](naming::NameAnswer answer) {
    below->answer({number, std::move(answer)});
  });
}

void Uplinks::on_question(const std::shared_ptr<Above>& above, const AskChild& question) {
  auto done = [above, number = question.number](naming::NameAnswer answer) {
    above->answer({number, std::move(answer)});
  };
  const auto identifier = naming::standard_codec().parse(question.identifier);
  if (!identifier) return done(no(identifier.error().text));
  const bool leads_here = question.depth >= 1 && question.depth <= identifier->domains.size() &&
                          identifier->domains[question.depth - 1] == ground_.domain;
  if (!leads_here) return done(no("there is no such domain here"));
  if (question.pool) return name_pool(question.pool, identifier->domains, std::move(done));
  find_below(*identifier, question.depth, std::move(done));
}

void Uplinks::on_answer(const void* from, std::uint64_t number, const naming::NameAnswer& answer) {
  names_.hear(from, number, answer);
}

}  // namespace suan::uplink
