#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/attempt.h"
#include "model/spec.h"
#include "spec/document.h"
#include "wire/json_reader.h"

/// A specification to what the core works with. Every field is honoured or refused by name; none is
/// ignored.
namespace suan::spec {

/// All that is wrong with a specification, at most 50, in no order that matters.
using Mistakes = std::vector<wire::Mistake>;

/// What specifications may name.
struct Known {
  /// The chip models there are. Empty: not known here, names are taken as they are.
  std::vector<std::string> chips;
};

/// The sites of a domain by name, as far as it is known where they are.
using Sites = std::span<const Near>;

/// A job as it was asked for, checked and with its defaults.
struct JobRequest {
  /// Whole but for what only the domain can give: `project` and every `payload` are none.
  JobSpec spec;
  /// The name of the project that pays; "" if none was given.
  std::string project;
  Payload payload;
  /// The payloads of the alternatives that bring their own, whole; as long as spec.alternatives.
  std::vector<std::optional<Payload>> variants;

  friend bool operator==(const JobRequest&, const JobRequest&) = default;
};

/// The digest that spec.payload_digest holds: of the bytes of the job's payload and, with their
/// indexes, of those of its alternatives.
Digest payload_digest(const Payload&, const std::vector<std::optional<Payload>>& variants);

/// Reads JSON of at most 1 MiB and 10,000 values as a document.
std::expected<SpecDocument, Mistakes> read_document(std::string_view json);

/// Checks a document and completes it.
std::expected<JobRequest, Mistakes> read_job(const SpecDocument&, const Known&, Sites = {});

/// Both, with the mistakes of both and pointers as the fields were written ("/nodes").
std::expected<JobRequest, Mistakes> read_spec(std::string_view json, const Known&, Sites = {});

/// The JSON Schema of the document.
std::string spec_schema();

}  // namespace suan::spec
