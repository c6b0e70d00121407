#pragma once

#include <optional>

#include "journal/heads.h"
#include "naming/records.h"
#include "uplink/frames.h"

/// Who is at the other end: each side signs what both have said so far with the Ed25519 key of its
/// domain. TLS keeps others out of the middle; the keys say which domains it is between.
namespace suan::uplink {

/// 32 random bytes.
Digest make_nonce();
std::uint64_t random_number();

/// The newest version that both speak, if there is one.
std::optional<std::uint32_t> common_version(const Greeting&);

void sign(Challenge&, const Greeting&, const journal::SigningKey&);
bool is_signed(const Challenge&, const Greeting&);

void sign(Hello&, const Greeting&, const Challenge&, const journal::SigningKey&);
bool is_signed(const Hello&, const Greeting&, const Challenge&);

void sign(naming::NameRecord&, const journal::SigningKey&);
bool is_signed(const naming::NameRecord&);

void sign(naming::Delegation&, const journal::SigningKey&);
bool is_signed(const naming::Delegation&, const Digest& parent_key);

}  // namespace suan::uplink
