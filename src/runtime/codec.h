#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "domain/events.h"
#include "domain/state.h"
#include "wire/bytes.h"

/// Events and states as bytes: what a record of the journal holds, and what a snapshot holds.
namespace suan::runtime {

/// The bytes of one record: each event as varint code, varint length, fields (wire/bytes.h).
std::string encode_events(const domain::Events&);
void append_events(wire::Writer& out, const domain::Events&);

/// The events of a record. `unsupported` names an event that this version does not know: then the
/// journal was written by a newer one and nothing may be concluded from it.
Result<domain::Events> decode_events(std::string_view bytes);

/// The name of an event in the journal: "job_submitted".
const char* event_name(const domain::Event&);

/// A whole state: its facts and tables in order. Equal states have equal bytes.
std::string encode_state(const domain::State&);
Result<domain::State> decode_state(std::string_view bytes);

/// The digest of encode_state().
Digest state_hash(const domain::State&);

}  // namespace suan::runtime
