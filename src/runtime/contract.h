#pragma once

#include <optional>

#include "domain/effects.h"
#include "runtime/core.h"

/// The member contract between two domains as commands and answers: what each end makes of a
/// message, whatever carries it. No I/O, no state of its own.
namespace suan::runtime {

using Down = decltype(domain::TellMember::message);
using Up = decltype(domain::TellParent::message);

/// The command that a message of a parent, or of a sub-domain, is to this domain. A CommitUnit's
/// payload goes beside it.
domain::Command to_command(ParentId, const Down&);
domain::Command to_command(MemberId, const Up&);

/// What to say back once the command has been answered, if anything.
std::optional<Up> answer_to(const Down&, const Reply&);
std::optional<Down> answer_to(const Up&, const Reply&);

/// The caller for commands of the other end of a connection that has proved who it is.
domain::Caller link_caller();

}  // namespace suan::runtime
