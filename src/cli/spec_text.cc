#include "cli/spec_text.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "cli/session.h"
#include "wire/json.h"

namespace suan::cli {

namespace {

using wire::JsonKind;
using wire::JsonValue;

void write_value(wire::JsonWriter& writer, JsonValue value) {
  bool is_first = true;
  switch (value.kind()) {
    case JsonKind::null:
      return writer.null();
    case JsonKind::boolean:
      return writer.boolean(value.boolean());
    case JsonKind::number:
      return writer.raw(value.text());
    case JsonKind::string:
      return writer.string(value.text());
    case JsonKind::array:
    case JsonKind::object:
      break;
  }
  const bool is_object = value.is(JsonKind::object);
  writer.raw(is_object ? "{" : "[");
  for (const JsonValue each : value) {
    if (!is_first) writer.raw(",");
    is_first = false;
    if (is_object) {
      writer.string(each.name());
      writer.raw(":");
    }
    write_value(writer, each);
  }
  writer.raw(is_object ? "}" : "]");
}

// A setting with the part of its pointer that is still to be entered.
struct Step {
  std::string_view rest;  // "/resources/cpus"
  const Setting* setting;

  // Settings name fields of the document and variables, which need no escapes.
  std::string_view name() const { return rest.substr(1, rest.find('/', 1) - 1); }
  bool is_last() const { return rest.find('/', 1) == rest.npos; }
};

void write_merged(wire::JsonWriter& writer, std::optional<JsonValue> base,
                  std::span<const Step> steps);

// One member: from the steps that name it, over what the document has there.
void write_member(wire::JsonWriter& writer, std::string_view name, std::optional<JsonValue> base,
                  std::span<const Step> steps) {
  std::vector<Step> inside;
  const Setting* whole = nullptr;
  for (const Step& step : steps) {
    if (step.name() != name) continue;
    if (step.is_last())
      whole = step.setting;
    else
      inside.push_back({step.rest.substr(name.size() + 1), step.setting});
  }
  if (whole)
    writer.raw(whole->json);
  else if (!inside.empty())
    write_merged(writer, base && base->is(JsonKind::object) ? base : std::nullopt, inside);
  else if (base)
    write_value(writer, *base);
}

bool is_removed(std::string_view name, std::span<const Step> steps) {
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return step.name() == name && step.is_last() && step.setting->json.empty();
  });
}

void write_merged(wire::JsonWriter& writer, std::optional<JsonValue> base,
                  std::span<const Step> steps) {
  std::vector<std::string_view> done;
  bool is_first = true;
  const auto member = [&](std::string_view name, std::optional<JsonValue> value) {
    done.push_back(name);
    if (is_removed(name, steps)) return;
    if (!is_first) writer.raw(",");
    is_first = false;
    writer.string(name);
    writer.raw(":");
    write_member(writer, name, value, steps);
  };
  writer.raw("{");
  if (base) {
    for (const JsonValue each : *base) member(each.name(), each);
  }
  for (const Step& step : steps) {
    if (std::find(done.begin(), done.end(), step.name()) == done.end()) {
      member(step.name(), std::nullopt);
    }
  }
  writer.raw("}");
}

std::string json_text(std::string_view text) {
  std::string out;
  wire::JsonWriter(out).string(text);
  return out;
}

std::string json_list(std::span<const std::string_view> texts) {
  std::string out = "[";
  for (const std::string_view text : texts)
    out.append(out.size() > 1 ? "," : "") += json_text(text);
  return out + "]";
}

// A document may use the other name of a field, and only one of the two.
struct OtherName {
  std::string_view pointer;
  std::string_view other;
};
constexpr std::array<OtherName, 4> other_names{{{"/num_nodes", "/nodes"},
                                                {"/envs", "/env"},
                                                {"/resources/accelerators", "/resources/gpus"},
                                                {"/resources/memory", "/resources/mem"}}};

bool has_value(JsonValue value, std::string_view pointer) {
  while (!pointer.empty()) {
    if (!value.is(JsonKind::object)) return false;
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    JsonValue::Iterator from = value.begin();
    const auto found = value.find(pointer.substr(1, end - 1), from);
    if (!found) return false;
    value = *found;
    pointer.remove_prefix(end);
  }
  return true;
}

// The pointer by the names that the document uses.
std::string as_written(JsonValue document, const std::string& pointer) {
  for (const auto& [known, other] : other_names) {
    const bool is_inside = pointer == known || pointer.starts_with(std::string(known) + "/");
    if (is_inside && has_value(document, other)) {
      return std::string(other) + pointer.substr(known.size());
    }
  }
  return pointer;
}

// Gathers the settings that flags ask for, with the flag that each came from.
class Settled {
 public:
  explicit Settled(const Arguments& arguments) : arguments_(arguments) {}

  void set(std::string pointer, std::string json, std::string_view flag) {
    flags.emplace_back(pointer, "--" + std::string(flag));
    settings.push_back({std::move(pointer), std::move(json)});
  }
  void text(std::string pointer, std::string_view flag) {
    if (arguments_.has(flag)) set(std::move(pointer), json_text(arguments_.value(flag)), flag);
  }
  void list(std::string pointer, std::string_view flag) {
    const auto values = arguments_.values(flag);
    if (!values.empty()) set(std::move(pointer), json_list(values), flag);
  }
  // A number as a number, anything else as text for the server to judge.
  void number(std::string pointer, std::string_view flag) {
    if (!arguments_.has(flag)) return;
    const std::string_view value = arguments_.value(flag);
    set(std::move(pointer), parse_integer(value) ? std::string(value) : json_text(value), flag);
  }
  void remove(std::string pointer) { settings.push_back({std::move(pointer), ""}); }

  std::vector<Setting> settings;
  std::vector<std::pair<std::string, std::string>> flags;

 private:
  const Arguments& arguments_;
};

// "H800:8" stays as it is; several become {"H800": 8, "Ascend910B3": 16}, any of which will do.
Outcome<void> settle_gpus(const Arguments& arguments, Settled& settled) {
  const auto values = arguments.values("gpus");
  if (values.empty()) return {};
  std::string json = "{";
  for (const std::string_view value : values) {
    const std::size_t colon = std::min(value.find(':'), value.size());
    const std::string_view count = colon < value.size() ? value.substr(colon + 1) : "1";
    const bool is_number = !count.empty() && count.find_first_not_of("0123456789.") == count.npos &&
                           count.front() != '.' && count.back() != '.' &&
                           (count.size() == 1 || count[0] != '0' || count[1] == '.');
    if (colon == 0 || !is_number) {
      return fault(Exit::usage, "--gpus '" + std::string(value) + "' is not CHIP:N",
                   "--gpus H800:8, or H800:0.25 for a quarter of one card");
    }
    json.append(json.size() > 1 ? "," : "") += json_text(value.substr(0, colon));
    json.append(":").append(count);
  }
  settled.remove("/variants");
  settled.set("/resources/accelerators",
              values.size() == 1 ? json_text(values.front()) : json + "}", "gpus");
  return {};
}

Outcome<void> settle_envs(const Arguments& arguments, Settled& settled) {
  for (const std::string_view pair : arguments.values("env")) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name(pair.substr(0, equals));
    const bool is_name = !name.empty() && name.find_first_of("/~ ") == name.npos;
    const char* here = equals == pair.size() ? std::getenv(name.c_str()) : "";
    if (!is_name || !here) {
      const std::string why = is_name ? "' is not set here" : "' is not K=V";
      return fault(Exit::usage, "--env '" + std::string(pair) + why,
                   "--env " + (is_name ? name : "K") + "=VALUE");
    }
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : here;
    settled.set("/envs/" + name, json_text(value), "env");
  }
  return {};
}

Outcome<Settled> settle(const Arguments& arguments) {
  Settled settled(arguments);
  settled.text("/name", "name");
  settled.text("/project", "project");
  SUAN_CHECK(settle_gpus(arguments, settled));
  settled.number("/num_nodes", "nodes");
  settled.number("/resources/cpus", "cpus");
  settled.text("/resources/memory", "memory");
  settled.number("/array", "array");
  settled.text("/max_duration", "max-duration");
  settled.text("/price/max_hourly_cost", "max-price");
  settled.text("/price/budget", "budget");
  settled.list("/where/regions", "region");
  settled.list("/where/sites", "site");
  settled.text("/where/near", "near");
  settled.text("/where/max_rtt", "max-rtt");
  settled.text("/queue/priority", "priority");
  settled.text("/objective", "objective");
  settled.text("/image", "image");
  settled.text("/workdir", "workdir");
  SUAN_CHECK(settle_envs(arguments, settled));
  if (!arguments.command.empty()) {
    settled.set("/run", json_text(command_script(arguments.command)), "");
    settled.flags.back().second = "the command";
  }
  return settled;
}

}  // namespace

std::string SpecText::place_of(std::string_view pointer) const {
  for (const auto& [at, flag] : flags) {
    if (pointer == at || pointer.starts_with(at + "/")) return flag;
  }
  if (file.empty()) return {};
  const spec::Position at = yaml.find(pointer);
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

Outcome<SpecText> lay_flags_over(std::string_view document, const Arguments& arguments) {
  SUAN_TRY(Settled settled, settle(arguments));
  SpecText spec{.flags = std::move(settled.flags)};
  spec.has_run = !arguments.command.empty();
  if (!document.empty()) {
    auto tree = wire::parse_json(document);
    if (!tree) return std::unexpected(to_fault(std::move(tree).error(), Exit::usage));
    for (Setting& each : settled.settings) each.pointer = as_written(tree->root(), each.pointer);
    for (auto& [pointer, flag] : spec.flags) pointer = as_written(tree->root(), pointer);
  }
  auto json = apply_settings(document, settled.settings);
  if (!json) return std::unexpected(to_fault(std::move(json).error(), Exit::usage));
  spec.json = *std::move(json);
  return spec;
}

Result<std::string> apply_settings(std::string_view document, std::span<const Setting> settings) {
  std::vector<Step> steps;
  steps.reserve(settings.size());
  for (const Setting& each : settings) steps.push_back({each.pointer, &each});
  std::string out;
  wire::JsonWriter writer(out);
  if (document.empty()) {
    write_merged(writer, std::nullopt, steps);
    return out;
  }
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(document));
  if (!tree.root().is(JsonKind::object)) {
    return failure(Failure::Kind::invalid, "a job is described by fields, such as `run: …`");
  }
  write_merged(writer, tree.root(), steps);
  return out;
}

std::string command_script(std::span<const std::string> command) {
  if (command.size() == 1) return command.front();
  std::string script;
  for (const std::string& word : command) {
    script.append(script.empty() ? "" : " ").append(shell_word(word));
  }
  return script;
}

}  // namespace suan::cli
