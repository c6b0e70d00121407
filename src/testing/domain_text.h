#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/digest.h"
#include "base/text.h"
#include "domain/effects.h"
#include "domain/events.h"
#include "domain/state.h"
#include "wire/names.h"

/// Events, effects and states as text for people who read a test. Test code only.
namespace suan::domain {

/// Prints records: `name=value` for every field that is not zero.
class RecordText {
 public:
  /// Moments are told as the time since `zero`.
  explicit RecordText(Moment zero) : zero_(zero) {}

  template <class T>
  std::string fields_of(const T& record) const {
    std::string out;
    T::fields(
        [&](std::uint32_t, std::string_view name, const auto& field, auto&&...) {
          const std::string value = is_left_out(name) ? "" : print(field);
          if (!value.empty()) out += (out.empty() ? "" : " ") + std::string(name) + "=" + value;
        },
        record);
    return out;
  }

  /// "" of what is zero.
  std::string print(const AttemptKey& key) const {
    return "job-" + std::to_string(key.job.value) + "/" + std::to_string(key.task) + "#" +
           std::to_string(key.attempt);
  }
  std::string print(const jobs::UnitKey& key) const {
    return "job-" + std::to_string(key.job.value) + "/" + std::to_string(key.unit);
  }
  std::string print(Moment at) const { return at == Moment{} ? "" : since_zero(at); }
  std::string print(Span span) const { return span == Span{} ? "" : print_span(span); }
  std::string print(Money money) const { return money == Money{} ? "" : print_money(money); }
  std::string print(const Digest& digest) const {
    return digest == Digest{} ? "" : print_digest(digest);
  }
  std::string print(const RequestId& id) const { return print_request_id(id); }
  std::string print(const std::string& text) const {
    return text.find_first_of(" \"={}[],") == std::string::npos ? text : "\"" + text + "\"";
  }
  std::string print(bool value) const { return value ? "yes" : ""; }

  template <class T>
  std::string print(const T& value) const {
    if constexpr (std::is_enum_v<T>) {
      return value == T{} ? "" : std::string(wire::enum_name(value));
    } else if constexpr (std::integral<T>) {
      return value == 0 ? "" : std::to_string(value);
    } else if constexpr (requires { value.begin(); }) {
      std::string list;
      for (const auto& each : value) {
        const std::string text = print(each);
        list += (list.empty() ? "" : ", ") + (text.empty() ? "0" : text);
      }
      return list.empty() ? "" : "[" + list + "]";
    } else if constexpr (requires { *value; }) {
      return value ? print(*value) : "";
    } else if constexpr (requires { value.value; }) {
      return value ? std::to_string(value.value) : "";
    } else {
      const std::string fields = fields_of(value);
      return fields.empty() ? "" : "{" + fields + "}";
    }
  }

  std::string since_zero(Moment at) const {
    return (at < zero_ ? "" : "+") + print_span(at - zero_);
  }

  /// Leaves out what would drown the rest: specifications, digests, notes for `why`.
  RecordText& brief() {
    is_brief_ = true;
    return *this;
  }

 private:
  bool is_left_out(std::string_view name) const {
    constexpr std::array<std::string_view, 10> noise{
        "spec",  "body",    "secret_hash", "need",      "memory_bytes",
        "pools", "runners", "rejected",    "cpu_milli", "rates"};
    return is_brief_ && std::ranges::find(noise, name) != noise.end();
  }

  Moment zero_;
  bool is_brief_ = false;
};

inline std::string print_event(const RecordText& text, const Event& event) {
  return std::visit(
      [&](const auto& each) {
        const std::string fields = text.fields_of(each);
        return std::string(each.name) + (fields.empty() ? "" : " ") + fields;
      },
      event);
}

/// One effect; `with_time` says also for how long an attempt may run.
struct EffectText {
  const RecordText& text;
  bool with_time = true;

  std::string operator()(const AskReserve& ask) const {
    return "reserve " + text.print(ask.unit) + "#" + std::to_string(ask.attempt);
  }
  std::string operator()(const AskConfirm& ask) const {
    return "confirm " + text.print(ask.unit) + "#" + std::to_string(ask.attempt);
  }
  std::string operator()(const AskLaunch& ask) const {
    const Launch& launch = ask.launch;
    std::string out = "launch " + text.print(launch.key) + " lease=" + text.print(launch.lease) +
                      " node=" + std::to_string(launch.grant.node);
    add(out, "cards", launch.grant.cards);
    add(out, "payload", launch.payload);
    add(out, "max", launch.max_duration);
    if (with_time) add(out, "run_for", launch.run_for);
    return out;
  }
  std::string operator()(const AskRenew& ask) const {
    std::string out = "renew " + text.print(ask.renew.key);
    if (with_time) add(out, "run_for", ask.renew.run_for);
    return out;
  }
  std::string operator()(const AskStop& ask) const {
    return "stop " + text.print(ask.stop.key) + " " + text.print(ask.stop.why);
  }
  std::string operator()(const AskForget& ask) const {
    return "forget " + text.print(ask.forget.key);
  }
  std::string operator()(const TellMember& tell) const {
    return "tell " + text.print(tell.member) + " " + std::visit(*this, tell.message);
  }
  std::string operator()(const TellParent& tell) const {
    return "tell " + text.print(tell.parent) + " " + std::visit(*this, tell.message);
  }
  std::string operator()(const HostUnit& host) const {
    std::string out = "host " + name(host.unit) + " pool=" + text.print(host.pool) +
                      " tasks=" + std::to_string(host.tasks);
    add(out, "allowance", host.allowance);
    return out;
  }
  std::string operator()(const ConfirmUnit& keep) const { return "keep " + name(keep.unit); }
  std::string operator()(const UnitConfirmed& kept) const { return "kept " + name(kept.unit); }
  std::string operator()(const CommitUnit& commit) const {
    std::string out = "commit " + name(commit.unit);
    add(out, "payload", commit.payload);
    add(out, "max", commit.max_duration);
    if (with_time) add(out, "run_for", commit.run_for);
    return out;
  }
  std::string operator()(const RenewUnit& renewal) const {
    std::string out = "renew " + name(renewal.unit);
    if (with_time) add(out, "run_for", renewal.run_for);
    add(out, "allowance", renewal.allowance);
    return out;
  }
  std::string operator()(const RenewUnits& heartbeat) const {
    std::string out;
    for (const RenewUnit& each : heartbeat.units) out += (out.empty() ? "" : ", ") + (*this)(each);
    return out;
  }
  std::string operator()(const StopTask& stop) const {
    return "stop " + name(stop.unit) + "." + std::to_string(stop.index) + " " +
           text.print(stop.why);
  }
  std::string operator()(const LetGo& message) const { return "let go " + name(message.unit); }
  std::string operator()(const UnitHosted& hosted) const { return "hosted " + name(hosted.unit); }
  std::string operator()(const UnitRefused& refused) const {
    return "refused " + name(refused.unit) + ": " + refused.reason;
  }
  std::string operator()(const TaskReport& report) const {
    std::string out = "report " + name(report.unit) + "." + std::to_string(report.index) + " " +
                      text.print(report.progress.state);
    if (report.progress.state == AttemptState::ended)
      out +=
          " " + text.print(report.progress.end) + " " + std::to_string(report.progress.exit_code);
    return out;
  }
  std::string operator()(const DestroyPayloads& ask) const {
    return "destroy payloads " + text.print(ask.first) + " to " +
           std::to_string(ask.first.value + ask.count - 1);
  }

 private:
  std::string name(const UnitAttempt& unit) const {
    return text.print(unit.job) + "/" + std::to_string(unit.unit) + "#" +
           std::to_string(unit.attempt);
  }
  template <class T>
  void add(std::string& out, std::string_view name, const T& value) const {
    const std::string printed = text.print(value);
    if (!printed.empty()) out += " " + std::string(name) + "=" + printed;
  }
};

/// Everything that is the truth of a state: equal texts, equal states.
inline std::string truth_of(const State& state) {
  const RecordText text(Moment{});
  std::string out;
  const auto add_table = [&](const auto& table) {
    for (const auto& [key, value] : table) out += text.print(key) + ": " + text.print(value) + "\n";
  };
  State::tables(
      [&](std::uint32_t, const auto& room) {
        std::remove_cvref_t<decltype(room)>::tables(
            [&](std::uint32_t, std::string_view name, const auto& table) {
              out += std::string(name) + "\n";
              add_table(table);
            },
            room);
      },
      state);
  State::loose(
      [&](std::uint32_t, const auto& part) {
        if constexpr (requires { part.begin(); }) {
          add_table(part);
        } else {
          out += text.print(part) + "\n";
        }
      },
      state);
  return out;
}

/// Everything that a state keeps beside its truth: what reindex() must make anew.
inline std::string derived_of(const State& state) {
  const RecordText text(Moment{});
  const jobs::Jobs& jobs = state.jobs();
  std::string out = "waiting " + std::to_string(jobs.waiting()) + ", counts " +
                    std::to_string(jobs.counts().waiting) + " " +
                    std::to_string(jobs.counts().active) + " " +
                    std::to_string(jobs.counts().ended) + "\n";
  for (const auto& [timer, present] : state.timers()) {
    out += "timer " + text.print(timer.at) + " " + std::string(wire::enum_name(timer.due)) + " " +
           std::to_string(timer.id) + "/" + std::to_string(timer.unit) + "\n";
  }
  for (const auto& [renewal, present] : state.renewals())
    out += "renewal " + text.print(renewal.member) + " " + text.print(renewal.at) + " " +
           text.print(renewal.unit) + "\n";
  for (const auto& [spot, present] : jobs.spots())
    out += "spot " + text.print(spot.pool) + " " + text.print(spot.unit) + "\n";
  for (const auto& [head, print] : jobs.heads()) {
    out += "line";
    for (const auto& [key, present] : jobs.lines().at(print).units)
      out += " " + text.print(key.unit);
    out += "\n";
  }
  for (const auto& [id, pool] : state.catalogue().pools()) {
    const placement::Free free = state.supply().free_of(id);
    out += state.catalogue().pool_name(pool) + ":";
    for (const std::int64_t each :
         {std::int64_t{free.nodes_free}, std::int64_t{free.cards_max}, free.share_max_milli,
          free.cpu_max_milli, free.memory_max_bytes, std::int64_t{free.widest_cards},
          free.widest_share_milli, free.widest_cpu_milli, free.widest_memory_bytes,
          free.cards_milli, free.cpu_milli, free.memory_bytes})
      out += " " + std::to_string(each);
    out += "\n";
  }
  return out;
}

}  // namespace suan::domain
