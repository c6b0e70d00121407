#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "domain/commands.h"
#include "domain/state.h"
#include "member/engine.h"
#include "server/serve.h"

namespace suan::server {

/// The engine that runs the jobs of a domain, as a member of it.
struct MemberEngine {
  std::string name;                        // Of the member.
  std::unique_ptr<member::Engine> engine;  // Absent: joined domains alone run the jobs.
  std::string note;                        // For people: what it enforces, how it is reached.
};

/// Where packed working directories lie; absolute, for supervisors that outlive this process.
std::string uploads_directory(const ServeOptions&);

/// Opens the engine that the options ask for: this machine's, that of a Slurm cluster, or none.
Result<MemberEngine> open_member_engine(const ServeOptions&);

/// How it presents itself to the domain: its site and its pools with their prices.
domain::StartMember offer_of(const ServeOptions&, const MemberEngine&);

/// Whether the domain was run by another engine before. A domain keeps its engine: attempts and
/// logs of another could not be reached any more. `conflict` with the name of the other.
Result<void> check_same_member(const domain::State&, const MemberEngine&);

/// Tells the engine under which ids the domain knows its pools; they are the answer too, by name.
std::map<std::string, PoolId> introduce_pools(const domain::State&, MemberId, member::Engine&);

/// The chips of its pools, each once.
std::vector<std::string> chips_of(const MemberEngine&);

}  // namespace suan::server
