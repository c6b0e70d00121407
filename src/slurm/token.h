#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

/// The tokens that Slurm's auth/jwt takes: JSON Web Tokens (RFC 7519) signed with HMAC SHA-256.
namespace suan::slurm {

/// A token for `user`, signed with the cluster's `key` (AuthAltParameters=jwt_key). `now` is since
/// 1970, in whole seconds.
std::string sign_token(std::string_view key, std::string_view user, Span now, Span lifespan);

/// Until when a token holds, since 1970; 0 = it does not say. `invalid` if it is no token. Its
/// signature is not checked: only the cluster can.
Result<Span> read_token_end(std::string_view token);

/// Where the token of each request comes from.
struct TokenSource {
  std::string user{};        // Whose jobs they are; "" = of this process.
  std::string token_file{};  // Holds a token; read anew for each request. Or:
  std::string key_file{};    // Holds the cluster's key. Neither: none is sent (rest_auth/local).
};

/// The user in words, never "".
std::string user_of(const TokenSource&);

/// The token to send, "" for none. `invalid` with the file's path where it cannot be had.
Result<std::string> take_token(const TokenSource&, Span now);

}  // namespace suan::slurm
