#include "journal/heads.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/ensure.h"
#include "base/text.h"
#include "journal/byte_order.h"
#include "journal/directory_lock.h"

namespace suan::journal {

using Kind = Failure::Kind;

namespace {

constexpr std::string_view first_word = "suan.heads.1";
constexpr std::string_view purpose = "suan.head.1";

template <std::size_t Size>
std::string hex_of(const std::array<std::uint8_t, Size>& bytes) {
  return print_hex({reinterpret_cast<const char*>(bytes.data()), Size});
}

template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> parse_hex(std::string_view hex) {
  std::array<std::uint8_t, Size> bytes;
  std::size_t read = 0;
  if (hex.size() != 2 * Size) return std::nullopt;
  if (sodium_hex2bin(bytes.data(), Size, hex.data(), hex.size(), nullptr, &read, nullptr) != 0 ||
      read != Size)
    return std::nullopt;
  return bytes;
}

// What is signed: the purpose, so that no other signature of this key can pass for a head, and the
// head in binary.
std::string signed_bytes(const Head& head) {
  std::string bytes(purpose);
  std::array<char, 8> number;
  write_u64(number.data(), head.sequence);
  bytes.append(number.data(), number.size());
  bytes.append(reinterpret_cast<const char*>(head.hash.bytes.data()), head.hash.bytes.size());
  write_u64(number.data(), static_cast<std::uint64_t>(head.moment.us));
  bytes.append(number.data(), number.size());
  return bytes;
}

std::string signed_bytes(std::string_view purpose_of_it, std::string_view bytes) {
  std::string all(purpose_of_it);
  all += '\0';
  return all.append(bytes);
}

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Writes the seed beside the path and links it there, so that no crash leaves half a key.
Result<void> create_key(const std::string& path) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return os_failure("cannot create the key", draft);
  std::array<std::uint8_t, 32> seed;
  randombytes_buf(seed.data(), seed.size());
  std::string text = hex_of(seed) + "\n";
  const bool is_written = write_all(file, text) && ::fsync(file) == 0;
  sodium_memzero(text.data(), text.size());
  sodium_memzero(seed.data(), seed.size());
  ::close(file);
  if (!is_written) return os_failure("cannot write the key", draft);
  if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)
    return os_failure("cannot create the key", path);
  ::unlink(draft.c_str());
  return sync_directory(directory_of(path));
}

}  // namespace

SigningKey::SigningKey(const std::array<std::uint8_t, 32>& seed) {
  crypto_sign_ed25519_seed_keypair(public_key_.data(), secret_.data(), seed.data());
}
SigningKey::~SigningKey() {
  sodium_memzero(secret_.data(), secret_.size());
}
SigningKey::SigningKey(SigningKey&& other) noexcept
    : secret_(other.secret_), public_key_(other.public_key_) {
  sodium_memzero(other.secret_.data(), other.secret_.size());
}
SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  std::swap(secret_, other.secret_);
  std::swap(public_key_, other.public_key_);
  return *this;
}

Result<SigningKey> SigningKey::load_or_create(const std::string& path) {
  ensure(sodium_init() >= 0);
  if (::access(path.c_str(), F_OK) != 0) SUAN_CHECK(create_key(path));
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return os_failure("cannot open the key", path);
  struct stat status;
  std::array<char, 66> text;
  const bool is_known = ::fstat(file, &status) == 0;
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  if (!is_known || size < 0) return os_failure("cannot read the key", path);
  if ((status.st_mode & 077U) != 0)
    return failure(Kind::invalid, "others may read the key; run: chmod 600 " + path, path);
  std::optional<std::array<std::uint8_t, 32>> seed;
  if (size == 65 && text[64] == '\n') seed = parse_hex<32>({text.data(), 64});
  sodium_memzero(text.data(), text.size());
  if (!seed) return failure(Kind::invalid, "a key is 64 hexadecimal digits and a newline", path);
  SigningKey key(*seed);
  sodium_memzero(seed->data(), seed->size());
  return key;
}

namespace {

Signature sign_with(const std::array<std::uint8_t, 64>& secret, std::string_view bytes) {
  Signature signature;
  crypto_sign_ed25519_detached(signature.data(), nullptr, unsigned_bytes(bytes), bytes.size(),
                               secret.data());
  return signature;
}

bool is_signature(const PublicKey& key, std::string_view bytes, const Signature& signature) {
  return crypto_sign_ed25519_verify_detached(signature.data(), unsigned_bytes(bytes), bytes.size(),
                                             key.data()) == 0;
}

}  // namespace

Signature SigningKey::sign(const Head& head) const {
  return sign_with(secret_, signed_bytes(head));
}
Signature SigningKey::sign(std::string_view what_for, std::string_view bytes) const {
  return sign_with(secret_, signed_bytes(what_for, bytes));
}

bool is_signed_by(const PublicKey& key, const Head& head, const Signature& signature) {
  return is_signature(key, signed_bytes(head), signature);
}
bool is_signed_by(const PublicKey& key, std::string_view what_for, std::string_view bytes,
                  const Signature& signature) {
  return is_signature(key, signed_bytes(what_for, bytes), signature);
}

HeadWriter::HeadWriter(HeadSettings settings, SigningKey key)
    : settings_(std::move(settings)), key_(std::move(key)) {}

HeadWriter::~HeadWriter() {
  for (const int file : open_files_) ::close(file);
}

namespace {

// Opens a heads file to append to, with its first line written and no half line at its end.
Result<int> open_heads(const std::string& path, const PublicKey& key) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return os_failure("cannot open the heads", path);
  std::ifstream stream(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const std::string first = std::string(first_word) + " " + hex_of(key) + "\n";
  const std::size_t end = text.rfind('\n');
  const std::size_t kept = end == std::string::npos ? 0 : end + 1;
  bool is_done = kept == text.size() || ::ftruncate(file, static_cast<off_t>(kept)) == 0;
  if (kept > 0 && !text.starts_with(first)) {
    ::close(file);
    return failure(Kind::conflict, "these heads are signed with another key", path);
  }
  if (kept == 0) is_done = is_done && write_all(file, first);
  is_done = is_done && ::fsync(file) == 0 && sync_directory(directory_of(path)).has_value();
  if (is_done) return file;
  auto failed = os_failure("cannot write the heads", path);
  ::close(file);
  return failed;
}

}  // namespace

Result<std::unique_ptr<HeadWriter>> HeadWriter::open(HeadSettings settings) {
  SUAN_TRY(SigningKey key, SigningKey::load_or_create(settings.key_path));
  std::unique_ptr<HeadWriter> opened(new HeadWriter(std::move(settings), std::move(key)));
  for (const std::string& path : opened->settings_.files) {
    SUAN_TRY(const int file, open_heads(path, opened->public_key()));
    opened->open_files_.push_back(file);
  }
  return opened;
}

Result<void> HeadWriter::write(const Head& head) {
  if (head.sequence == written_sequence_) return {};
  const std::string line = std::to_string(head.sequence) + " " + print_digest(head.hash) + " " +
                           std::to_string(head.moment.us) + " " + hex_of(key_.sign(head)) + "\n";
  Result<void> result;
  for (std::size_t i = 0; i < open_files_.size(); ++i) {
    const off_t end = ::lseek(open_files_[i], 0, SEEK_END);
    if (write_all(open_files_[i], line) && ::fdatasync(open_files_[i]) == 0) continue;
    if (result) result = os_failure("cannot write the heads", settings_.files[i]);
    // A full disk may have taken half a line; what follows must not be glued to it.
    if (end >= 0 && ::ftruncate(open_files_[i], end) != 0) continue;
  }
  if (result) written_sequence_ = head.sequence;
  return result;
}

Result<void> HeadWriter::write_if_due(const Head& head, Moment now) {
  if (written_at_ && now - *written_at_ < settings_.every) return {};
  written_at_ = now;
  return write(head);
}

namespace {

std::optional<SignedHead> parse_head(std::string_view line) {
  std::array<std::string_view, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t space = i + 1 < words.size() ? line.find(' ') : line.size();
    if (space == std::string_view::npos) return std::nullopt;
    words[i] = line.substr(0, space);
    line.remove_prefix(std::min(line.size(), space + 1));
  }
  const auto sequence = parse_integer(words[0]);
  const auto hash = parse_digest(words[1]);
  const auto moment = parse_integer(words[2]);
  const auto signature = parse_hex<64>(words[3]);
  if (!sequence || *sequence <= 0 || !hash || !moment || !signature) return std::nullopt;
  return SignedHead{.head = {.sequence = static_cast<std::uint64_t>(*sequence),
                             .hash = *hash,
                             .moment = {*moment}},
                    .signature = *signature};
}

std::optional<PublicKey> parse_first_line(std::string_view line) {
  if (!line.starts_with(first_word) || line.size() != first_word.size() + 65) return std::nullopt;
  if (line[first_word.size()] != ' ') return std::nullopt;
  return parse_public_key(line.substr(first_word.size() + 1));
}

}  // namespace

Result<HeadsFile> read_heads(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return failure(Kind::not_found, "cannot open the heads", path);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  auto file = parse_heads(text);
  if (!file) file.error().place = path;
  return file;
}

Result<HeadsFile> parse_heads(std::string_view text) {
  HeadsFile file;
  const auto key = parse_first_line(text.substr(0, text.find('\n')));
  if (!key || text.find('\n') == std::string_view::npos)
    return failure(Kind::invalid, "not a heads file");
  file.public_key = *key;
  std::size_t start = text.find('\n') + 1;
  for (std::size_t number = 2;; ++number) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return file;
    if (auto head = parse_head(text.substr(start, end - start))) {
      head->line = number;
      file.heads.push_back(*head);
    } else {
      file.unreadable_lines.push_back(number);
    }
    start = end + 1;
  }
}

std::string print_public_key(const PublicKey& key) {
  return hex_of(key);
}

std::optional<PublicKey> parse_public_key(std::string_view hex) {
  return parse_hex<32>(hex);
}

}  // namespace suan::journal
