#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "model/spec.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"

/// The values of run.yaml that people write in forms of their own.
namespace suan::spec {

/// A field that is known and refused: its value is not looked at.
struct Unhonoured {
  void write_json(wire::JsonWriter& writer) const { writer.boolean(true); }
  void read_json(wire::JsonReader&, wire::JsonValue) {}
  static std::string json_schema() {
    return R"({"description":"Not honoured by this domain yet."})";
  }
  friend bool operator==(const Unhonoured&, const Unhonoured&) = default;
};

/// Cores of a node: 4, "4", "64+", "4..8", also "0.5". In thousandths.
struct CpuRange {
  Bounds milli;

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
  friend bool operator==(const CpuRange&, const CpuRange&) = default;
};

/// Memory of a node: "512GB", "512GB+", "16GiB..32GiB". In bytes.
struct MemoryRange {
  Bounds bytes;

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
  friend bool operator==(const MemoryRange&, const MemoryRange&) = default;
};

/// "1TB". Never without a unit.
struct ByteSize {
  std::int64_t bytes = 0;

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
  friend bool operator==(const ByteSize&, const ByteSize&) = default;
};

/// So many cards of a chip on each node: "H800:8", "H800" for one, "H800:0.25" for a share of one
/// card, "none".
struct Wish {
  std::string chip;             // As it was written; "" = no accelerators.
  std::int64_t card_milli = 0;  // 1000 to 64000 in thousands, or a share below 1000.
  std::string at;               // Its JSON pointer, from the field's.

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
};

/// One wish, any of several ({A: 8, B: 16}), or several in order ([A:8, B:16]).
struct Wishes {
  std::vector<Wish> list;
  bool is_ordered = false;

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
};

/// "USR1@120s": the signal and how long before a foreseen stop it is sent. "USR1" means 60 s.
struct SignalNotice {
  std::string signal;  // Without SIG.
  Span notice;

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
};

/// The value of an environment variable: text; a number or a Boolean becomes its text.
struct EnvText {
  std::string text;

  void write_json(wire::JsonWriter& writer) const { writer.string(text); }
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
};

/// Notes a mistake unless `json` is one of the words, and returns it.
std::string read_word(wire::JsonReader&, wire::JsonValue json,
                      std::span<const std::string_view> words);
std::string word_schema(std::span<const std::string_view> words);

/// A working directory as the API takes it: {sha256: HEX, bytes: N} of what was brought to
/// /v1/uploads. In a file of the CLI it is a path, which the CLI packs and brings.
struct PackedWorkdir {
  Workdir workdir;

  void write_json(wire::JsonWriter&) const;
  void read_json(wire::JsonReader&, wire::JsonValue);
  static std::string json_schema();
};

/// One of some words that cannot be enumerators.
template <const auto& words>
struct Word {
  std::string text;

  void write_json(wire::JsonWriter& writer) const { writer.string(text); }
  void read_json(wire::JsonReader& reader, wire::JsonValue json) {
    text = read_word(reader, json, words);
  }
  static std::string json_schema() { return word_schema(words); }
  friend bool operator==(const Word&, const Word&) = default;
};

}  // namespace suan::spec
