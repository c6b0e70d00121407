#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/ensure.h"
#include "base/id.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/names.h"

/// Records to bytes and back. A record is a list of fields in the order of their tags, each
///
///     key = varint(tag << 1 | shape), then  shape 0: varint          (numbers, bools, enums, ids)
///                                           shape 1: varint length, then that many bytes
///
/// Signed numbers are zigzag-coded. Strings, nested records, digests, lists and maps have shape 1;
/// a list is its elements one after another, each a varint or length-prefixed; a map alternates
/// keys and values. A double is the varint of its bits with the bytes reversed, which is short for
/// round numbers. A field that has the value it has in a new record is left out, so adding a field
/// with a new tag keeps old bytes readable; an unknown tag is skipped. Tags are never reused. Equal
/// values have equal bytes and different values different ones, so the bytes can be hashed.
namespace suan::wire {

class Writer;
class Reader;

/// A type whose `static void fields(visit, self)` lists its members.
template <class T>
concept Record = requires(T& value) { T::fields([](auto&&...) {}, value); };

template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

template <class T>
inline constexpr bool is_map = false;
template <class K, class V>
inline constexpr bool is_map<std::map<K, V>> = true;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<std::shared_ptr<const T>> = true;

/// Values that are one varint.
template <class T>
concept Scalar = std::integral<T> || std::is_enum_v<T> || is_id<T> || std::same_as<T, double> ||
                 std::same_as<T, Money> || std::same_as<T, Span> || std::same_as<T, Moment>;

template <Scalar T>
constexpr std::uint64_t to_varint(const T& value) {
  const auto zigzag = [](std::int64_t n) {
    return (static_cast<std::uint64_t>(n) << 1U) ^ static_cast<std::uint64_t>(n >> 63U);
  };
  if constexpr (is_id<T>)
    return value.value;
  else if constexpr (std::same_as<T, double>)
    return __builtin_bswap64(std::bit_cast<std::uint64_t>(value));
  else if constexpr (std::same_as<T, Money>)
    return zigzag(value.micro);
  else if constexpr (std::same_as<T, Span> || std::same_as<T, Moment>)
    return zigzag(value.us);
  else if constexpr (std::is_enum_v<T>)
    return static_cast<std::uint64_t>(value);
  else if constexpr (std::is_signed_v<T>)
    return zigzag(value);
  else
    return static_cast<std::uint64_t>(value);
}

/// False if the number does not fit the type.
template <Scalar T>
constexpr bool from_varint(std::uint64_t bits, T& value) {
  const auto signed_bits = static_cast<std::int64_t>((bits >> 1U) ^ (0 - (bits & 1U)));
  if constexpr (is_id<T>) {
    value.value = bits;
  } else if constexpr (std::same_as<T, double>) {
    value = std::bit_cast<double>(__builtin_bswap64(bits));
  } else if constexpr (std::same_as<T, Money>) {
    value.micro = signed_bits;
  } else if constexpr (std::same_as<T, Span> || std::same_as<T, Moment>) {
    value.us = signed_bits;
  } else if constexpr (std::is_enum_v<T>) {
    if (bits >= enumerators_max) return false;
    value = static_cast<T>(bits);
    return !enum_name(value).empty();
  } else if constexpr (std::is_signed_v<T>) {
    value = static_cast<T>(signed_bits);
    return value == signed_bits;
  } else {
    value = static_cast<T>(bits);
    return static_cast<std::uint64_t>(value) == bits;
  }
  return true;
}

/// Collects the bytes of values.
class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// All bytes so far; valid until more are written.
  std::string_view written() const { return {begin_, size()}; }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  void clear() { at_ = begin_; }

  [[gnu::always_inline]] void varint(std::uint64_t value) {
    char* at = room(varint_bytes_max);
    if (value < 0x80) [[likely]] {  // Every key, and most of what there is.
      *at = static_cast<char>(value);
      at_ = at + 1;
    } else {
      at_ = long_varint(at, value);
    }
  }
  void bytes(std::string_view value) {
    varint(value.size());
    raw(value);
  }

  /// A record behind its length.
  template <class T>
  void sized_record(const T& value) {
    sized([&] { record(value); });
  }

  template <class T>
  void record(const T& value) {
    const std::uint64_t* defaults = defaults_of<T>();
    T::fields([&](std::uint32_t tag, std::string_view, const auto& field,
                  auto&&...) { this->field(tag, field, *defaults++); },
              value);
  }

 private:
  static constexpr std::size_t varint_bytes_max = 10;

  // What each field of a new record looks like: its varint, or whether its content is empty.
  template <class T>
  static const std::uint64_t* defaults_of() {
    static const std::vector<std::uint64_t> defaults = [] {
      std::vector<std::uint64_t> found;
      const T value{};
      T::fields(
          [&]<class Field>(std::uint32_t, std::string_view, const Field& field, auto&&...) {
            if constexpr (Scalar<Field>) {
              found.push_back(to_varint(field));
            } else {
              Writer content;
              if constexpr (is_optional<Field> || is_shared<Field>)
                ensure(!field);  // There would be no bytes for its absence.
              else
                content.content(field);
              found.push_back(content.size() == 0 ? 0 : 1);
            }
          },
          value);
      return found;
    }();
    return defaults.data();
  }

  template <class T>
  void field(std::uint32_t tag, const T& value, std::uint64_t default_value) {
    if constexpr (Scalar<T>) {
      const std::uint64_t bits = to_varint(value);
      if (bits == default_value) return;
      varint(std::uint64_t{tag} << 1U);
      varint(bits);
    } else if constexpr (is_optional<T>) {  // Present even when the value inside is the default.
      if (!value) return;
      varint((std::uint64_t{tag} << 1U) | 1U);
      sized([&] { element(*value); });
    } else if constexpr (is_shared<T>) {
      if (!value) return;
      varint((std::uint64_t{tag} << 1U) | 1U);
      sized([&] { content(*value); });
    } else {
      if constexpr (std::same_as<T, std::string> || is_list<T> || is_map<T>) {
        if (value.empty() && default_value == 0) return;
      }
      const std::size_t before = size();
      varint((std::uint64_t{tag} << 1U) | 1U);
      const std::size_t length = sized([&] { content(value); });
      if (length == 0 && default_value == 0) at_ = begin_ + before;
    }
  }

  template <class T>
  void content(const T& value) {
    if constexpr (std::same_as<T, std::string>) {
      raw(value);
    } else if constexpr (std::same_as<T, Digest>) {
      if (value != Digest{}) raw({reinterpret_cast<const char*>(value.bytes.data()), 32});
    } else if constexpr (std::same_as<T, RequestId>) {
      if (value == RequestId{}) return;
      for (const std::uint64_t word : {value.high, value.low}) {
        std::array<char, 8> digits;
        for (unsigned i = 0; i < 8; ++i) digits[i] = static_cast<char>(word >> (56U - 8U * i));
        raw({digits.data(), 8});
      }
    } else if constexpr (is_list<T>) {
      for (const auto& each : value) element(each);
    } else if constexpr (is_map<T>) {
      for (const auto& [key, each] : value) {
        element(key);
        element(each);
      }
    } else {
      record(value);
    }
  }

  template <class T>
  void element(const T& value) {
    if constexpr (Scalar<T>)
      varint(to_varint(value));
    else
      sized([&] { content(value); });
  }

  // Writes what `write` appends behind its length; returns the length. Lengths below 128 need no
  // move.
  template <class Write>
  std::size_t sized(Write write) {
    const std::size_t start = size();
    *room(1) = 0;
    ++at_;
    write();
    const std::size_t length = size() - start - 1;
    if (length < 0x80) {
      begin_[start] = static_cast<char>(length);
      return length;
    }
    varint(length);  // At the end first, to know its size.
    const std::size_t digits = size() - start - 1 - length;
    std::array<char, varint_bytes_max> prefix;
    std::memcpy(prefix.data(), at_ - digits, digits);
    std::memmove(begin_ + start + digits, begin_ + start + 1, length);
    std::memcpy(begin_ + start, prefix.data(), digits);
    --at_;
    return length;
  }

  void raw(std::string_view value) {
    if (value.empty()) return;
    std::memcpy(room(value.size()), value.data(), value.size());
    at_ += value.size();
  }

  [[gnu::noinline]] static char* long_varint(char* at, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) *at++ = static_cast<char>(value | 0x80U);
    *at++ = static_cast<char>(value);
    return at;
  }

  // Where `count` more bytes have their place.
  char* room(std::size_t count) {
    if (static_cast<std::size_t>(end_ - at_) < count) grow(count);
    return at_;
  }
  [[gnu::noinline]] void grow(std::size_t count) {
    const std::size_t used = size();
    const std::size_t wanted = std::max<std::size_t>(2 * (used + count), 256);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (used > 0) std::memcpy(larger.get(), begin_, used);
    memory_ = std::move(larger);
    begin_ = memory_.get();
    at_ = begin_ + used;
    end_ = begin_ + wanted;
  }

  std::unique_ptr<char[]> memory_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

/// Takes values off the front of a view. Hostile bytes are refused, never trusted: every length is
/// checked against what is left, and nesting is bounded by the types.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool is_ok() const { return is_ok_; }
  bool at_end() const { return rest_.empty(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) break;  // A longer form than needed: not the unique bytes.
        return value;
      }
    }
    return fail();
  }

  std::string_view bytes() {
    const std::uint64_t length = varint();
    if (length > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(static_cast<std::size_t>(length));
    return taken;
  }

  template <class T>
  void record(T& value) {
    next_key();
    T::fields([this](std::uint32_t tag, std::string_view, auto& field,
                     auto&&...) { this->field(tag, field); },
              value);
    while (is_ok_ && has_key_) skip();
  }

  template <class T>
  void field(std::uint32_t tag, T& value) {
    while (is_ok_ && has_key_ && tag_ < tag) skip();
    if (!is_ok_ || !has_key_ || tag_ != tag) return;
    if constexpr (Scalar<T>) {
      if (is_sized_ || !from_varint(varint(), value)) fail();
    } else {
      if (!is_sized_) {
        fail();
        return;
      }
      Reader inside(bytes());
      inside.whole(value);
      if (!inside.is_ok_) fail();
    }
    next_key();
  }

  // The value that fills this reader.
  template <class T>
  void whole(T& value) {
    if constexpr (is_optional<T>) {
      element(value.emplace());
      if (!rest_.empty()) fail();
    } else if constexpr (is_shared<T>) {
      using Inner = std::remove_const_t<typename T::element_type>;
      auto inner = std::make_shared<Inner>();
      whole(*inner);
      value = std::move(inner);
    } else if constexpr (std::same_as<T, std::string>) {
      value.assign(rest_);
    } else if constexpr (std::same_as<T, Digest>) {
      value = {};
      if (rest_.size() == 32)
        std::memcpy(value.bytes.data(), rest_.data(), 32);
      else if (!rest_.empty())
        fail();
    } else if constexpr (std::same_as<T, RequestId>) {
      value = {};
      if (rest_.size() != 16) {
        if (!rest_.empty()) fail();
        return;
      }
      for (std::size_t i = 0; i < 16; ++i) {
        std::uint64_t& word = i < 8 ? value.high : value.low;
        word = (word << 8U) | static_cast<std::uint8_t>(rest_[i]);
      }
    } else if constexpr (is_list<T>) {
      value.clear();
      while (is_ok_ && !rest_.empty()) element(value.emplace_back());
    } else if constexpr (is_map<T>) {
      map(value);
    } else {
      value = {};  // Where the record around it starts with something else.
      record(value);
    }
  }

 private:
  template <class T>
  void map(T& value) {
    value.clear();
    while (is_ok_ && !rest_.empty()) {
      typename T::key_type key{};
      element(key);
      if (!value.empty() && !(value.rbegin()->first < key)) fail();  // Sorted and unique.
      if (is_ok_)
        element(value.emplace_hint(value.end(), std::move(key), typename T::mapped_type{})->second);
    }
  }

  template <class T>
  void element(T& value) {
    if constexpr (Scalar<T>) {
      if (!from_varint(varint(), value)) fail();
    } else {
      Reader inside(bytes());
      inside.whole(value);
      if (!inside.is_ok_) fail();
    }
  }

  void next_key() {
    has_key_ = is_ok_ && !rest_.empty();
    if (!has_key_) return;
    const std::uint64_t key = varint();
    const std::uint64_t tag = key >> 1U;
    if (tag == 0 || tag > 0xFFFFU || (seen_key_ && tag <= tag_)) fail();  // Ascending, so unique.
    tag_ = static_cast<std::uint32_t>(tag);
    is_sized_ = (key & 1U) != 0;
    seen_key_ = true;
  }

  void skip() {
    if (is_sized_)
      bytes();
    else
      varint();
    next_key();
  }

  std::uint64_t fail() {
    is_ok_ = false;
    has_key_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  std::uint32_t tag_ = 0;
  bool is_sized_ = false;
  bool has_key_ = false;
  bool seen_key_ = false;
  bool is_ok_ = true;
};

/// The bytes of a record.
template <Record T>
std::string encode(const T& value) {
  Writer out;
  out.record(value);
  return std::string(out.written());
}

/// A record from exactly these bytes; `invalid` if they are not one.
template <Record T>
Result<T> decode(std::string_view bytes) {
  T value{};
  Reader reader(bytes);
  reader.record(value);
  if (!reader.is_ok()) return failure(Failure::Kind::invalid, "these bytes are not such a record");
  return value;
}

}  // namespace suan::wire
