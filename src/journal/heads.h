#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"

/// Signed heads: what a domain says its journal ended with, kept outside the journal, so that a cut
/// tail or a rewritten history shows. Format: docs/formats/journal.md, "heads".
namespace suan::journal {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

/// The Ed25519 key (RFC 8032) with which a domain signs. Its memory is cleared at the end.
class SigningKey {
 public:
  /// Reads the key in a file, or makes one with mode 0600 where there is none. `invalid` when the
  /// file is not a key, or others than its owner may read it.
  static Result<SigningKey> load_or_create(const std::string& path);

  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(const Head&) const;

  /// Signs other bytes. `purpose` says what for, ends in a version and holds no zero byte, so that
  /// no signature can pass for one that was made for something else.
  Signature sign(std::string_view purpose, std::string_view bytes) const;

 private:
  explicit SigningKey(const std::array<std::uint8_t, 32>& seed);

  std::array<std::uint8_t, 64> secret_;
  PublicKey public_key_;
};

bool is_signed_by(const PublicKey&, const Head&, const Signature&);
bool is_signed_by(const PublicKey&, std::string_view purpose, std::string_view bytes,
                  const Signature&);

struct HeadSettings {
  std::string key_path;            // Usually `domain.key` in the journal's directory.
  std::vector<std::string> files;  // Usually `heads` there and one on another machine's disk.
  Span every = seconds(60);        // At most one head in this time; the last one at the end.
};

/// Appends signed heads to files. From one thread at a time.
class HeadWriter {
 public:
  /// Opens or creates the files. A last line that a crash left incomplete is removed.
  static Result<std::unique_ptr<HeadWriter>> open(HeadSettings);
  ~HeadWriter();
  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;

  /// Writes and syncs a head to every file, unless it is the one written last. A file that fails
  /// does not keep the others from being written; the first failure is returned. Call it before
  /// closing.
  Result<void> write(const Head&);

  /// Does so when `every` has passed since the last, by the caller's clock.
  Result<void> write_if_due(const Head&, Moment now);

  const PublicKey& public_key() const { return key_.public_key(); }

 private:
  HeadWriter(HeadSettings settings, SigningKey key);

  HeadSettings settings_;
  SigningKey key_;
  std::vector<int> open_files_;
  std::optional<Moment> written_at_;
  std::uint64_t written_sequence_ = 0;
};

/// A line of a heads file.
struct SignedHead {
  Head head;
  Signature signature{};
  std::size_t line = 0;  // From 1.
};

struct HeadsFile {
  PublicKey public_key{};         // As the file says; to be compared with one known otherwise.
  std::vector<SignedHead> heads;  // Not yet checked with is_signed_by.
  std::vector<std::size_t> unreadable_lines;
};

/// Reads the text of a heads file, of any bytes whatever. `invalid` when it does not begin as one.
/// An incomplete last line is left out.
Result<HeadsFile> parse_heads(std::string_view text);

/// The same of a file; `not_found` when it cannot be opened.
Result<HeadsFile> read_heads(const std::string& path);

std::string print_public_key(const PublicKey&);
std::optional<PublicKey> parse_public_key(std::string_view hex);

}  // namespace suan::journal
