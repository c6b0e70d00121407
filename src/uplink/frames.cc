#include "uplink/frames.h"

#include <algorithm>
#include <array>
#include <utility>

#include "wire/bytes.h"

namespace suan::uplink {

namespace {

// In the order of Frame.
constexpr std::array<std::uint8_t, std::variant_size_v<Frame>> kinds{
    1,  2,  3,  4,  5,  6,  10, 15, 11, 12, 16, 13, 14, 20, 21,
    30, 39, 31, 32, 33, 34, 40, 35, 36, 22, 37, 23, 24, 38};

template <std::size_t Index>
Result<Frame> decode_as(std::string_view bytes) {
  auto decoded = wire::decode<std::variant_alternative_t<Index, Frame>>(bytes);
  if (!decoded) return std::unexpected(std::move(decoded).error());
  return Frame(std::in_place_index<Index>, *std::move(decoded));
}

template <std::size_t... Indices>
Result<Frame> decode_kind(std::size_t kind, std::string_view bytes,
                          std::index_sequence<Indices...>) {
  using Decode = Result<Frame> (*)(std::string_view);
  static constexpr std::array<Decode, sizeof...(Indices)> table{&decode_as<Indices>...};
  return table[kind](bytes);
}

}  // namespace

std::string print_frame(const Frame& frame) {
  std::string out(1, static_cast<char>(kinds[frame.index()]));
  std::visit([&](const auto& message) { out += wire::encode(message); }, frame);
  return out;
}

Result<Frame> parse_frame(std::string_view bytes) {
  if (bytes.empty()) return failure(Failure::Kind::invalid, "an empty message");
  const auto number = static_cast<std::uint8_t>(bytes.front());
  const auto* const found = std::ranges::find(kinds, number);
  if (found == kinds.end())
    return failure(Failure::Kind::unsupported, "there is no message of kind " +
                                                   std::to_string(number) + " in version " +
                                                   std::to_string(version_max) + " of the uplink");
  auto frame = decode_kind(static_cast<std::size_t>(found - kinds.begin()), bytes.substr(1),
                           std::make_index_sequence<kinds.size()>{});
  if (!frame) {
    frame.error().text =
        "a message of kind " + std::to_string(number) + " cannot be read: " + frame.error().text;
  }
  return frame;
}

}  // namespace suan::uplink
