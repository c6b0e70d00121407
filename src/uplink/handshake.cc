#include "uplink/handshake.h"

#include <algorithm>
#include <string>

#include <sodium.h>

#include "wire/bytes.h"

namespace suan::uplink {

namespace {

constexpr std::string_view parent_purpose = "suan.uplink.parent.1";
constexpr std::string_view child_purpose = "suan.uplink.child.1";
constexpr std::string_view record_purpose = "suan.name.record.1";
constexpr std::string_view delegation_purpose = "suan.name.delegation.1";

// Each with its length before it, so that no two conversations have the same bytes.
template <class... Messages>
std::string said(const Messages&... messages) {
  std::string all;
  const auto add = [&](const std::string& bytes) {
    all += std::to_string(bytes.size()) + ":" + bytes;
  };
  (add(wire::encode(messages)), ...);
  return all;
}

std::string text_of(const journal::Signature& signature) {
  return {reinterpret_cast<const char*>(signature.data()), signature.size()};
}

bool is_by(const Digest& key, std::string_view purpose, const std::string& bytes,
           const std::string& signature) {
  journal::Signature made;
  if (signature.size() != made.size()) return false;
  std::ranges::transform(signature, made.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return journal::is_signed_by(key.bytes, purpose, bytes, made);
}

template <class Message>
Message unsigned_one(Message message) {
  message.signature.clear();
  return message;
}

}  // namespace

Digest make_nonce() {
  Digest nonce;
  randombytes_buf(nonce.bytes.data(), nonce.bytes.size());
  return nonce;
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  randombytes_buf(&number, sizeof number);
  return number;
}

std::optional<std::uint32_t> common_version(const Greeting& greeting) {
  const std::uint32_t newest = std::min(version_max, greeting.version_max);
  if (newest < std::max(version_min, greeting.version_min)) return std::nullopt;
  return newest;
}

void sign(Challenge& challenge, const Greeting& greeting, const journal::SigningKey& key) {
  challenge.key.bytes = key.public_key();
  challenge.signature = text_of(key.sign(parent_purpose, said(greeting, unsigned_one(challenge))));
}

bool is_signed(const Challenge& challenge, const Greeting& greeting) {
  return is_by(challenge.key, parent_purpose, said(greeting, unsigned_one(challenge)),
               challenge.signature);
}

void sign(Hello& hello, const Greeting& greeting, const Challenge& challenge,
          const journal::SigningKey& key) {
  hello.key.bytes = key.public_key();
  hello.signature =
      text_of(key.sign(child_purpose, said(greeting, challenge, unsigned_one(hello))));
}

bool is_signed(const Hello& hello, const Greeting& greeting, const Challenge& challenge) {
  return is_by(hello.key, child_purpose, said(greeting, challenge, unsigned_one(hello)),
               hello.signature);
}

void sign(naming::NameRecord& record, const journal::SigningKey& key) {
  record.key.bytes = key.public_key();
  record.signature = text_of(key.sign(record_purpose, said(unsigned_one(record))));
}

bool is_signed(const naming::NameRecord& record) {
  return is_by(record.key, record_purpose, said(unsigned_one(record)), record.signature);
}

void sign(naming::Delegation& delegation, const journal::SigningKey& key) {
  delegation.signature = text_of(key.sign(delegation_purpose, said(unsigned_one(delegation))));
}

bool is_signed(const naming::Delegation& delegation, const Digest& parent_key) {
  return is_by(parent_key, delegation_purpose, said(unsigned_one(delegation)),
               delegation.signature);
}

}  // namespace suan::uplink
