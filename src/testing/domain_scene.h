#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "domain/decide.h"
#include "domain/effects.h"
#include "domain/state.h"

/// A domain in a test: commands are decided and applied as the core does it, without a journal.
/// Test code only.
namespace suan::domain {

constexpr Moment scene_start{1'763'971'200'000'000};  // 2025-11-24T08:00:00Z.

inline Digest digest_of(std::string_view text) {
  Digest digest;
  std::size_t at = 0;
  for (const char c : text) {
    auto& byte = digest.bytes[at++ % digest.bytes.size()];
    byte = static_cast<std::uint8_t>(byte * 31 + static_cast<std::uint8_t>(c));
  }
  return digest;
}

inline Pool make_pool(std::string name, std::uint32_t nodes, std::uint32_t cards, Money hourly) {
  Pool pool;
  pool.name = std::move(name);
  pool.chip = cards > 0 ? "H100" : "";
  pool.nodes = nodes;
  pool.cards_per_node = cards;
  pool.cpu_milli_per_node = 16'000;
  pool.memory_bytes_per_node = 64LL << 30U;
  (cards > 0 ? pool.price.card_hour : pool.price.core_hour) = hourly;
  return pool;
}

class Scene {
 public:
  /// Decides and, if it stands, applies.
  Decision run(const Command& command, const Caller& caller) {
    Decision decision = decide(state, command, caller, now);
    if (decision) {
      state.apply(*decision, now);
      add_effects(state, *decision, effects);
    }
    return decision;
  }

  /// As the process itself, or as an operator with a new request.
  Decision run(const Command& command) { return run(command, process()); }
  Decision ask(const Command& command) { return run(command, caller(process().principal)); }

  static Caller process() {
    return {.principal = {UserId{1}, identity::Role::operator_}, .request = {}, .body = {}};
  }

  /// A caller with a request id made now.
  Caller caller(const identity::Principal& principal) {
    return {.principal = principal,
            .request = make_request_id(now.us / 1000, 0, ++requests_made_),
            .body = digest_of("body")};
  }

  /// The user of this name, which must be there.
  identity::Principal user(std::string_view name) const {
    const identity::User* found = state.identity().find_user(name);
    ensure(found != nullptr);
    return {found->id, found->role};
  }

  void found() { run(FoundDomain{"test", "acme", "root", digest_of("root")}); }

  void start_member(std::vector<Pool> pools, std::string name = "engine") {
    Site site;
    site.name = "here";
    site.region = "cn-sh";
    run(StartMember{std::move(name), "", site, std::move(pools)});
  }

  State state;
  Moment now = scene_start;
  Effects effects;  // Of everything so far.

 private:
  std::uint64_t requests_made_ = 0;
};

/// A founded domain with a project of 1000 CNY, a user of each role and one pool: 2 nodes of 4
/// cards at 10 CNY/h each.
inline Scene furnished_scene() {
  Scene scene;
  scene.found();
  scene.ask(CreateProject{"lab", ""});
  scene.ask(CreateProject{"other", ""});
  scene.ask(Deposit{"lab", yuan(1000), ""});
  const auto add_user = [&](std::string name, identity::Role role, std::string project) {
    scene.ask(CreateKey{.user = name,
                        .organisation = "",
                        .role = role,
                        .projects = {std::move(project)},
                        .label = "",
                        .secret_hash = digest_of(name)});
  };
  add_user("ann", identity::Role::consumer, "lab");
  add_user("bob", identity::Role::consumer, "other");
  add_user("pat", identity::Role::provider, "lab");
  add_user("eve", identity::Role::auditor, "lab");
  scene.start_member({make_pool("gpu", 2, 4, yuan(10))});
  return scene;
}

/// An hour on `cards` whole cards of one node, in the project "lab" of a furnished scene.
inline JobSpec make_spec(std::int64_t cards = 1) {
  JobSpec spec;
  spec.project = ProjectId{1};
  spec.alternatives.push_back({cards > 0 ? "H100" : "", cards * 1000, {}});
  spec.max_duration = hours(1);
  return spec;
}

inline SubmitJob submit(JobSpec spec, std::uint32_t payloads = 0) {
  return {.spec = std::move(spec), .payloads = payloads, .plan = {}};
}

}  // namespace suan::domain
