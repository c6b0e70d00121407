#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// JSON text (RFC 8259) taken apart, before it is given types. Numbers keep their digits, so
/// nothing is rounded on the way.
namespace suan::wire {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// What a text may be at most; more is refused before it is read.
struct JsonLimits {
  std::size_t bytes_max = std::size_t{16} << 20U;
  std::size_t depth_max = 32;
  std::size_t values_max = 4'000'000;  // In all: a short text can hold many.
};

class JsonValue;

/// A parsed text. Owns everything that its values view.
class JsonTree {
 public:
  /// The whole document. The values live as long as this tree stays where it is.
  JsonValue root() const;

 private:
  friend class JsonValue;
  friend class JsonTreeBuilder;

  struct Piece {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  // Nodes are in the order of the text: the children of a node follow it, `end` is behind the last.
  struct Node {
    JsonKind kind = JsonKind::null;
    bool boolean = false;
    Piece name;
    Piece text;
    std::uint32_t end = 0;
    std::uint32_t count = 0;
  };

  std::string_view view(Piece piece) const {
    return std::string_view(texts_).substr(piece.at, piece.size);
  }

  std::vector<Node> nodes_;
  std::string texts_;
};

/// One value in a tree. A small view: pass it by value.
class JsonValue {
 public:
  JsonKind kind() const { return node().kind; }
  bool is(JsonKind kind) const { return node().kind == kind; }

  /// Of a boolean.
  bool boolean() const { return node().boolean; }

  /// Of a string, its characters; of a number, its digits as they were written.
  std::string_view text() const { return tree_->view(node().text); }

  /// The name of a member of an object.
  std::string_view name() const { return tree_->view(node().name); }

  /// Members or elements.
  std::size_t size() const { return node().count; }

  /// The value in words, for messages: `the text "abc"`, `the number 5`, `a list`.
  std::string describe() const;

  /// Walks the members or elements in the order of the text: `for (const JsonValue each : value)`.
  class Iterator {
   public:
    Iterator(const JsonTree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
    JsonValue operator*() const { return {tree_, index_}; }
    Iterator& operator++() {
      index_ = tree_->nodes_[index_].end;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    const JsonTree* tree_;
    std::uint32_t index_;
  };

  Iterator begin() const { return {tree_, index_ + 1}; }
  Iterator end() const { return {tree_, node().end}; }

  /// The member of this name of an object. `from` is where to look first and is moved behind what
  /// was found: members in the order of the questions cost O(1) each.
  std::optional<JsonValue> find(std::string_view name, Iterator& from) const;

 private:
  friend class JsonTree;

  JsonValue(const JsonTree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  const JsonTree::Node& node() const { return tree_->nodes_[index_]; }

  const JsonTree* tree_;
  std::uint32_t index_;
};

inline JsonValue JsonTree::root() const {
  return {this, 0};
}

/// Parses exactly one JSON value. `invalid` on anything else, on text that is not UTF-8, on a name
/// that an object has twice (`place` is its JSON pointer) and beyond the limits.
Result<JsonTree> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Appends "/name" to a JSON pointer (RFC 6901), escaped.
void append_pointer(std::string& pointer, std::string_view name);

/// `text` in quotes for a message, shortened where it is long.
std::string quote(std::string_view text);

/// Where the first byte is that is not part of valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace suan::wire
