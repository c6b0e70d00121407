#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace suan {

/// SHA-256 (FIPS 180-4) of bytes that come in pieces: what people compare files by. What the domain
/// itself is bound by is a Digest.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);

  /// 64 lower-case hexadecimal digits, as sha256sum(1) prints them. Once, last.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace suan
