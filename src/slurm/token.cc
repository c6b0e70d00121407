#include "slurm/token.h"

#include <array>

#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/file.h"
#include "wire/json_tree.h"
#include "wire/json_writer.h"

namespace suan::slurm {
namespace {

constexpr std::size_t token_bytes_max = 16 << 10U;
constexpr std::size_t key_bytes_max = 16 << 10U;
constexpr Span lifespan = hours(1);

std::string encode(std::string_view bytes) {
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();  // Its zero.
  return text;
}

}  // namespace

std::string sign_token(std::string_view key, std::string_view user, Span now, Span lifespan_asked) {
  const std::int64_t second = now.us / seconds(1).us;
  std::string claims = "{\"iat\":" + std::to_string(second) +
                       ",\"exp\":" + std::to_string(second + lifespan_asked.us / seconds(1).us) +
                       ",\"sun\":";
  wire::JsonWriter(claims).string(user);
  claims += "}";
  const std::string text = encode(R"({"alg":"HS256","typ":"JWT"})") + "." + encode(claims);
  crypto_auth_hmacsha256_state state;
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()),
                              key.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                text.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  return text + "." + encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

Result<Span> read_token_end(std::string_view token) {
  const auto refuse = [] {
    return failure(Failure::Kind::invalid,
                   "it holds no JSON Web Token; make one with: scontrol token lifespan=86400");
  };
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.size() > token_bytes_max) return refuse();
  const std::string_view middle = token.substr(first + 1, second - first - 1);
  std::string claims(middle.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(claims.data()), claims.size(),
                        middle.data(), middle.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
    return refuse();
  claims.resize(size);
  const auto tree = wire::parse_json(claims, {.bytes_max = token_bytes_max, .depth_max = 8});
  if (!tree || !tree->root().is(wire::JsonKind::object)) return refuse();
  auto from = tree->root().begin();
  const auto end = tree->root().find("exp", from);
  if (!end || !end->is(wire::JsonKind::number)) return Span{};
  const auto digits = parse_integer(end->text().substr(0, end->text().find('.')));
  if (!digits || *digits < 0 || *digits > 1'000'000'000'000) return refuse();
  return seconds(*digits);
}

std::string user_of(const TokenSource& source) {
  if (!source.user.empty()) return source.user;
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found);
  return found != nullptr ? found->pw_name : "root";
}

Result<std::string> take_token(const TokenSource& source, Span now) {
  if (source.token_file.empty() && source.key_file.empty()) return std::string{};
  const bool has_key = !source.key_file.empty();
  const std::string& path = has_key ? source.key_file : source.token_file;
  auto bytes = engine::read_file(AT_FDCWD, path, has_key ? key_bytes_max : token_bytes_max);
  if (!bytes) return failure(bytes.error().kind, bytes.error().text, path);
  if (has_key) return sign_token(*bytes, user_of(source), now, lifespan);
  while (!bytes->empty() && (bytes->back() == '\n' || bytes->back() == ' ')) bytes->pop_back();
  // As `scontrol token` prints it.
  if (bytes->starts_with("SLURM_JWT=")) bytes->erase(0, 10);
  const auto end = read_token_end(*bytes);
  if (!end) return failure(Failure::Kind::invalid, end.error().text, path);
  if (*end != Span{} && *end <= now)
    return failure(Failure::Kind::unavailable,
                   "the token was good until " + print_moment({end->us}) +
                       "; put a new one there: scontrol token lifespan=86400",
                   path);
  return *std::move(bytes);
}

}  // namespace suan::slurm
