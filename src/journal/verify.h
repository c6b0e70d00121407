#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/heads.h"
#include "journal/journal.h"

/// Reads a whole journal and says whether it is what was written.
namespace suan::journal {

struct VerifySettings {
  std::string directory;
  std::string heads = {};  // "" = the file `heads` in the directory, if it is there.
  std::optional<PublicKey> public_key =
      {};  // The domain's, as known from elsewhere; else the file's.
};

/// Something that is not as it was written. Records `first` to `last` are in doubt; 0 when none is.
struct Finding {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string place;  // File, table and row, or file and line.
  std::string text;
};

struct VerifyReport {
  Head head;  // The last record there is, with the hash that was stored for it.
  std::uint64_t batches = 0;
  std::uint64_t blobs = 0;
  std::uint64_t heads = 0;  // Signed heads that were compared.
  std::vector<Finding> findings;

  bool is_sound() const { return findings.empty(); }
};

/// Checks every record against the chain, every signed head against the records, every blob against
/// its seal and the file's own structure. Sees any changed bit of these, and missing, inserted and
/// reordered records; records cut off at the end, or a history rewritten with new hashes, show
/// against the signed heads, from the first head after the change. May run beside a server.
/// Changes no record; SQLite may leave its two companion files, empty. Fails with `not_found` or
/// `io` when it cannot read, never because of damage.
Result<VerifyReport> verify(const VerifySettings&);

}  // namespace suan::journal
