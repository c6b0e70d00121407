#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "model/ids.h"

namespace suan::domain {

/// One line of a conversation: a verb, words and options, "run cards=2 max=1h by=ann". Whatever is
/// not understood fails the test. Test code only.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line) {
    while (!line.empty()) {
      const std::size_t end = line.find(' ');
      const std::string word(line.substr(0, end));
      line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
      if (word.empty()) continue;
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos)
        words_.push_back(word);
      else
        options_.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  ~Words() {
    EXPECT_EQ(next_, words_.size()) << "words left over in: " << line_;
    for (const auto& [name, value] : options_)
      ADD_FAILURE() << name << " is no option of: " << line_;
  }

  const std::string& line() const { return line_; }

  /// The next word; "" when there is none.
  std::string take() { return next_ < words_.size() ? words_[next_++] : ""; }

  /// Takes an option, or what it is where the line does not say.
  std::string option(const std::string& name, std::string fallback = "") {
    auto node = options_.extract(name);
    return node.empty() ? std::move(fallback) : std::move(node.mapped());
  }
  bool has(const std::string& name) const { return options_.contains(name); }
  bool flag(const std::string& name) { return option(name) == "yes"; }

  std::int64_t number(const std::string& name, std::int64_t fallback = 0) {
    return has(name) ? read(name, parse_integer(option(name))) : fallback;
  }
  std::uint32_t count(const std::string& name, std::uint32_t fallback = 0) {
    return static_cast<std::uint32_t>(number(name, fallback));
  }
  Money money(const std::string& name) {
    return has(name) ? read(name, parse_money(option(name))) : Money{};
  }
  Span span(const std::string& name) {
    return has(name) ? read(name, parse_span(option(name))) : Span{};
  }
  /// "+1h": that long after `zero`.
  Moment moment(const std::string& name, Moment zero) {
    return has(name) ? zero + read(name, parse_span(option(name).substr(1))) : Moment{};
  }

  /// All other options, in alphabetical order.
  std::map<std::string, std::string> take_options() { return std::exchange(options_, {}); }

  template <class T>
  T read(std::string_view name, std::optional<T> value) const {
    if (!value) ADD_FAILURE() << name << " cannot be read in: " << line_;
    return value.value_or(T{});
  }

 private:
  std::string line_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
  std::map<std::string, std::string> options_;
};

/// "3/1": job 3 and the number of its unit or task, 0 where it is left out.
struct Target {
  JobId job;
  std::uint32_t number = 0;
};

inline Target parse_target(const Words& words, std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = [&](std::string_view digits) {
    return static_cast<std::uint64_t>(words.read("the target", parse_integer(digits)));
  };
  Target target{JobId{number(text.substr(0, slash))}, 0};
  if (slash != std::string_view::npos)
    target.number = static_cast<std::uint32_t>(number(text.substr(slash + 1)));
  return target;
}

}  // namespace suan::domain
