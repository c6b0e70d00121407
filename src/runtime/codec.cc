#include "runtime/codec.h"

#include <cstdint>
#include <utility>
#include <variant>

#include "base/planted.h"
#include "wire/bytes.h"
#include "wire/hash.h"

namespace suan::runtime {

using domain::Event;
using domain::Events;
using domain::State;

namespace {

constexpr std::size_t events_of_a_record_max = 65'536;
constexpr std::uint64_t state_version = 3;

template <class T>
bool read_event(std::uint64_t code, std::string_view bytes, Events& events, bool& is_ok) {
  if (T::code != code) return false;
  wire::Reader reader(bytes);
  reader.record(std::get<T>(events.emplace_back(std::in_place_type<T>)));
  is_ok = reader.is_ok();
  return true;
}

// True if some alternative has the code; `is_ok` says whether its bytes were good.
template <class... T>
bool read_any(std::variant<T...>*, std::uint64_t code, std::string_view bytes, Events& events,
              bool& is_ok) {
  return (read_event<T>(code, bytes, events, is_ok) || ...);
}

// A key or a value of a table, as a field-less piece of bytes.
template <class T>
void write_piece(wire::Writer& out, const T& value) {
  if constexpr (wire::Scalar<T>)
    out.varint(wire::to_varint(value));
  else
    out.sized_record(value);
}

template <class T>
bool read_piece(wire::Reader& in, T& value) {
  if constexpr (wire::Scalar<T>) {
    return wire::from_varint(in.varint(), value) && in.is_ok();
  } else {
    auto decoded = wire::decode<T>(in.bytes());
    if (!decoded || !in.is_ok()) return false;
    value = std::move(*decoded);
    return true;
  }
}

template <class Key, class T>
void write_table(wire::Writer& out, const Table<Key, T>& table) {
  out.varint(table.size());
  for (const auto& [key, value] : table) {
    write_piece(out, key);
    write_piece(out, value);
  }
}

template <class Key, class T>
bool read_table(wire::Reader& in, Table<Key, T>& table) {
  for (std::uint64_t left = in.varint(); left > 0 && in.is_ok(); --left) {
    Key key{};
    T value{};
    if (!read_piece(in, key) || !read_piece(in, value)) return false;
    if (!table.empty() && !(table.back().first < key)) return false;
    table.insert(key, std::move(value));
  }
  return in.is_ok();
}

template <class T>
inline constexpr bool is_table = false;
template <class Key, class T>
inline constexpr bool is_table<Table<Key, T>> = true;

}  // namespace

void append_events(wire::Writer& out, const Events& events) {
  for (const Event& event : events) {
    std::visit(
        [&](const auto& each) {
          out.varint(each.code);
          out.sized_record(each);
        },
        event);
  }
}

std::string encode_events(const Events& events) {
  wire::Writer out;
  append_events(out, events);
  return std::string(out.written());
}

Result<Events> decode_events(std::string_view bytes) {
  Events events;
  wire::Reader in(bytes);
  while (in.is_ok() && !in.at_end()) {
    const std::uint64_t code = in.varint();
    const std::string_view body = in.bytes();
    bool is_ok = in.is_ok() && events.size() < events_of_a_record_max;
    if (is_ok && !read_any(static_cast<Event*>(nullptr), code, body, events, is_ok)) {
      return failure(Failure::Kind::unsupported,
                     "event " + std::to_string(code) +
                         " is unknown: this journal was written by a newer version of suan");
    }
    if (!is_ok)
      return failure(Failure::Kind::invalid, "a record of the journal holds no such event");
  }
  if (!in.is_ok()) return failure(Failure::Kind::invalid, "a record of the journal is cut short");
  return events;
}

const char* event_name(const Event& event) {
  return std::visit([](const auto& each) { return each.name; }, event);
}

std::string encode_state(const State& state) {
  wire::Writer out;
  out.varint(state_version);
  State::loose(
      [&](std::uint32_t number, const auto& part) {
        if (number == 2 && planted(Bug::snapshot_misses_requests)) return;
        if constexpr (is_table<std::remove_cvref_t<decltype(part)>>)
          write_table(out, part);
        else
          write_piece(out, part);
      },
      state);
  State::tables(
      [&](std::uint32_t, const auto& room) {
        std::remove_cvref_t<decltype(room)>::tables(
            [&](std::uint32_t, const char*, const auto& table) { write_table(out, table); }, room);
      },
      state);
  return std::string(out.written());
}

Result<State> decode_state(std::string_view bytes) {
  wire::Reader in(bytes);
  if (in.varint() != state_version)
    return failure(Failure::Kind::unsupported, "this snapshot has another version");
  State state;
  bool is_ok = true;
  State::loose(
      [&](std::uint32_t number, auto& part) {
        if (number == 2 && planted(Bug::snapshot_misses_requests)) return;
        if constexpr (is_table<std::remove_cvref_t<decltype(part)>>)
          is_ok = is_ok && read_table(in, part);
        else
          is_ok = is_ok && read_piece(in, part);
      },
      state);
  State::tables(
      [&](std::uint32_t, auto& room) {
        std::remove_cvref_t<decltype(room)>::tables(
            [&](std::uint32_t, const char*, auto& table) {
              is_ok = is_ok && read_table(in, table);
            },
            room);
      },
      state);
  if (!is_ok || !in.at_end()) return failure(Failure::Kind::invalid, "this snapshot is damaged");
  state.reindex();
  return state;
}

Digest state_hash(const State& state) {
  return wire::hash(encode_state(state));
}

}  // namespace suan::runtime
