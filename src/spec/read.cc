#include "spec/read.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "spec/chips.h"
#include "spec/hours.h"
#include "spec/inputs.h"
#include "spec/places.h"
#include "spec/regions.h"
#include "spec/topology.h"
#include "wire/hash.h"
#include "wire/json.h"
#include "wire/schema.h"

namespace suan::spec {

namespace {

using wire::Mistake;
using wire::quote;

constexpr std::size_t mistakes_max = 50;
constexpr std::size_t spec_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t spec_values_max = 10'000;
constexpr std::int64_t nodes_max = 1024;
constexpr std::int64_t elements_max = 10'000;
constexpr std::size_t variants_max = 16;
constexpr std::size_t names_max = 64;  // Of regions, of sites.
constexpr std::size_t name_size_max = 63;
constexpr std::size_t script_bytes_max = std::size_t{256} << 10U;
constexpr std::size_t image_bytes_max = 1024;
constexpr std::size_t envs_max = 256;
constexpr std::size_t envs_bytes_max = std::size_t{64} << 10U;
constexpr std::size_t path_size_max = 4096;
constexpr Span duration_max = hours(24 * 366);
constexpr Span lost_after_max = hours(24 * 30);
constexpr Span rtt_max = seconds(10);
constexpr Money money_max = yuan(1'000'000'000);
constexpr std::string_view checkpoint_env = "SUAN_CHECKPOINT_PATH";

// A letter, a digit or one of `more`.
bool is_of(char c, std::string_view more) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         more.find(c) != std::string_view::npos;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_size_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_of(c, "._-"); });
}

// The nearest text that is_name accepts, or "".
std::string as_name(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, name_size_max)) out += is_name({&c, 1}) ? c : '-';
  return out.find_first_not_of('-') == std::string::npos ? std::string{} : out;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= 256 && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_of(c, "_"); });
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

std::string element_pointer(std::string_view list, std::size_t index) {
  return std::string(list) + "/" + std::to_string(index);
}

/// Reads one document; every part notes its mistakes and goes on.
class JobReader {
 public:
  JobReader(const SpecDocument& document, const Known& known, Sites sites)
      : document_(document), known_(known), sites_(sites) {}

  std::expected<JobRequest, Mistakes> read() {
    refuse_unhonoured(document_, nullptr);
    read_names();
    read_counts();
    read_resources();
    read_where();
    read_price();
    read_times();
    std::ranges::move(read_hours(document_, job_.spec), std::back_inserter(mistakes_));
    read_resilience();
    read_payload();
    read_alternatives();
    job_.spec.payload_digest = payload_digest(job_.payload, job_.variants);
    if (!mistakes_.empty()) return std::unexpected(std::move(mistakes_));
    return std::move(job_);
  }

 private:
  void mistake(std::string pointer, std::string text, std::string suggestion = {}) {
    if (mistakes_.size() < mistakes_max)
      mistakes_.push_back({std::move(pointer), std::move(text), std::move(suggestion)});
  }

  // Where in the document a record is: only spelled out for a mistake.
  struct Place {
    const Place* outer = nullptr;
    std::string_view field;
    std::size_t element = SIZE_MAX;  // Of a list; SIZE_MAX = the field itself.

    std::string pointer() const {
      const std::string here = (outer ? outer->pointer() : "") + "/" + std::string(field);
      return element == SIZE_MAX ? here : element_pointer(here, element);
    }
    std::string name() const { return (outer ? outer->name() + "." : "") + std::string(field); }
  };

  template <class T>
  void refuse_unhonoured(const T& record, const Place* outer) {
    T::fields(
        [&]<class Field>(std::uint32_t, std::string_view field_name, const Field& field,
                         const auto&...) {
          Place here{outer, field_name};
          if constexpr (std::same_as<Field, std::optional<Unhonoured>>) {
            if (field) mistake(here.pointer(), here.name() + " is not honoured by this domain yet");
          } else if constexpr (wire::is_optional<Field>) {
            if constexpr (wire::Record<typename Field::value_type>)
              if (field) refuse_unhonoured(*field, &here);
          } else if constexpr (wire::is_list<Field>) {
            if constexpr (wire::Record<typename Field::value_type>) {
              for (here.element = 0; here.element < field.size(); ++here.element)
                refuse_unhonoured(field[here.element], &here);
            }
          }
        },
        record);
  }

  void read_names() {
    const auto read = [&](const std::optional<std::string>& given, std::string_view pointer,
                          std::string& out) {
      if (!given) return;
      if (is_name(*given))
        out = *given;
      else
        mistake(
            std::string(pointer),
            "expected 1 to 63 letters, digits, dots, dashes or underscores, found " + quote(*given),
            as_name(*given));
    };
    read(document_.name, "/name", job_.spec.name);
    read(document_.project, "/project", job_.project);
  }

  std::int64_t count(const std::optional<std::int64_t>& given, std::string_view pointer,
                     std::int64_t most) {
    if (!given) return 1;
    if (*given >= 1 && *given <= most) return *given;
    mistake(std::string(pointer),
            "expected 1 to " + std::to_string(most) + ", found " + std::to_string(*given),
            *given < 1 ? "1" : std::to_string(most));
    return 1;
  }

  void read_counts() {
    JobSpec& spec = job_.spec;
    spec.kind = document_.kind.value_or(JobKind::batch);
    spec.objective = document_.objective.value_or(Objective::cost);
    const std::int64_t nodes = count(document_.num_nodes, "/num_nodes", nodes_max);
    const std::int64_t array = count(document_.array, "/array", elements_max);
    const std::int64_t replicas = count(document_.replicas, "/replicas", elements_max);
    if (spec.kind == JobKind::batch && document_.replicas)
      mistake("/replicas", "replicas are of a service: add kind: service, or use array");
    if (spec.kind == JobKind::service && document_.array)
      mistake("/array", "an array is of kind batch: a service has replicas");
    const std::int64_t elements = spec.kind == JobKind::service ? replicas : array;
    if (nodes > 1 && elements > 1)
      mistake("/num_nodes",
              "a gang of several nodes cannot have several elements: num_nodes must be 1 here",
              "1");
    spec.nodes = static_cast<std::uint32_t>(nodes);
    spec.elements = static_cast<std::uint32_t>(elements);
  }

  void read_resources() {
    if (!document_.resources) return;
    const ResourcesDocument& resources = *document_.resources;
    JobSpec& spec = job_.spec;
    if (resources.cpus) spec.cpu_milli = resources.cpus->milli;
    if (resources.memory) spec.memory_bytes = resources.memory->bytes;
    if (resources.disk_size) spec.disk_bytes = resources.disk_size->bytes;
    spec.network_tier = resources.network_tier.value_or(NetworkTier::standard);
    if (!resources.topology) return;
    const auto spread = read_topology(*resources.topology);
    if (!spread)
      return mistake(spread.error().pointer, spread.error().text, spread.error().suggestion);
    if (spec.nodes > 1) spec.spread = *spread;
    if (spec.is_spread()) std::swap(spec.nodes, spec.elements);  // Placed node by node.
  }

  std::vector<std::string> list(const std::vector<std::string>& given, const std::string& pointer,
                                bool is_of_regions) {
    if (given.size() > names_max)
      mistake(pointer, "has " + std::to_string(given.size()) + " elements, at most " +
                           std::to_string(names_max) + " are allowed");
    std::vector<std::string> out;
    for (std::size_t i = 0; i < given.size() && i < names_max; ++i) {
      const std::string place = element_pointer(pointer, i);
      if (is_of_regions && !is_region(given[i]))
        region_mistake(place, given[i]);
      else if (!is_of_regions && !is_name(given[i]))
        mistake(place, "expected the name of a site, found " + quote(given[i]), as_name(given[i]));
      else if (std::find(out.begin(), out.end(), given[i]) != out.end())
        mistake(place, quote(given[i]) + " is given twice");
      else
        out.push_back(given[i]);
    }
    return out;
  }

  void region_mistake(std::string pointer, std::string_view text) {
    mistake(std::move(pointer),
            "expected a region of ISO 3166-2 in lower case such as \"cn-sh\", found " + quote(text),
            suggest_region(text));
  }

  // A circle or a round trip is one around something.
  void read_near(const WhereDocument& where, Where& out) {
    read_span(where.max_rtt, "/where/max_rtt", rtt_max, out.max_rtt);
    if (where.circle) {
      const auto at = std::find(circles.begin(), circles.end(), where.circle->text);
      out.circle = static_cast<Circle>(at - circles.begin() + 1);
    }
    if (where.near) {
      auto near = find_place(*where.near, sites_);
      if (near)
        out.near = *std::move(near);
      else
        mistake("/where/near", near.error().text, near.error().suggestion);
      if (out.circle == Circle::none && !where.max_rtt) out.circle = Circle::region;
      return;
    }
    constexpr std::string_view needs = " needs where.near: the city or site from where it counts";
    if (where.circle) mistake("/where/circle", "where.circle" + std::string(needs));
    if (where.max_rtt) mistake("/where/max_rtt", "where.max_rtt" + std::string(needs));
  }

  void read_where() {
    if (!document_.where) return;
    const WhereDocument& where = *document_.where;
    Where& out = job_.spec.where;
    out.regions = list(where.regions, "/where/regions", true);
    out.exclude_regions = list(where.exclude_regions, "/where/exclude_regions", true);
    out.sites = list(where.sites, "/where/sites", false);
    read_near(where, out);
    for (std::size_t i = 0; i < where.exclude_regions.size(); ++i) {
      const auto& each = where.exclude_regions[i];
      if (std::find(out.regions.begin(), out.regions.end(), each) != out.regions.end())
        mistake(element_pointer("/where/exclude_regions", i),
                quote(each) + " is in regions and in exclude_regions");
    }
    if (!where.data_residency) return;
    if (is_region(*where.data_residency))
      out.data_residency = *where.data_residency;
    else
      region_mistake("/where/data_residency", *where.data_residency);
  }

  void read_money(const std::optional<Money>& given, std::string_view pointer, Money& out) {
    if (!given) return;
    if (*given > Money{} && *given <= money_max)
      out = *given;
    else
      mistake(std::string(pointer), "expected more than 0 and at most " + print_money(money_max) +
                                        " CNY, found " + print_money(*given));
  }

  void read_price() {
    if (!document_.price) return;
    read_money(document_.price->max_hourly_cost, "/price/max_hourly_cost", job_.spec.hourly_max);
    read_money(document_.price->budget, "/price/budget", job_.spec.budget);
    job_.spec.is_spot =
        document_.price->spot_policy && document_.price->spot_policy->text == "spot";
  }

  void read_span(const std::optional<Span>& given, std::string_view pointer, Span most, Span& out) {
    if (!given) return;
    if (*given > Span{} && *given <= most)
      out = *given;
    else
      mistake(std::string(pointer), "expected more than 0s and at most " + print_span(most) +
                                        ", found " + print_span(*given));
  }

  void read_times() {
    JobSpec& spec = job_.spec;
    read_span(document_.max_duration, "/max_duration", duration_max, spec.max_duration);
    if (!document_.start) return;
    const StartDocument& start = *document_.start;
    const auto read = [&](const std::optional<Moment>& given, std::string_view pointer,
                          Moment& out) {
      if (given && *given <= Moment{})
        mistake(std::string(pointer), "expected a time after 1970");
      else
        out = given.value_or(Moment{});
    };
    read(start.not_before, "/start/not_before", spec.not_before);
    read(start.deadline, "/start/deadline", spec.deadline);
    if (spec.deadline != Moment{} && spec.deadline <= spec.not_before)
      mistake("/start/deadline", "the deadline is not after not_before");
  }

  void read_resilience() {
    JobSpec& spec = job_.spec;
    if (document_.retry) {
      for (const auto& event : document_.retry->on_events) {
        spec.retry.on_interruption |= event.text == "interruption";
        spec.retry.on_site_lost |= event.text == "site-lost";
      }
      read_span(document_.retry->duration, "/retry/duration", duration_max, spec.retry.duration);
    }
    if (document_.checkpoint && document_.checkpoint->path) {
      const std::string& path = *document_.checkpoint->path;
      if (!path.starts_with('/') || path.size() > path_size_max || has_nul(path))
        mistake("/checkpoint/path", "expected an absolute path, found " + quote(path),
                path.empty() || path.starts_with('/') ? "" : "/" + path);
      else
        spec.checkpoint_path = path;
    }
    if (document_.checkpoint && document_.checkpoint->signal) {
      spec.checkpoint_signal = document_.checkpoint->signal->signal;
      spec.checkpoint_notice = document_.checkpoint->signal->notice;
    }
    if (document_.partition) {
      read_span(document_.partition->lost_after, "/partition/lost_after", lost_after_max,
                spec.partition.lost_after);
      spec.partition.replace = document_.partition->replace.value_or(false);
    }
    if (document_.queue) spec.priority = document_.queue->priority.value_or(Priority::normal);
  }

  void read_script(const std::optional<std::string>& given, std::string pointer, std::string& out) {
    if (!given) return;
    out = *given;
    if (given->size() > script_bytes_max)
      mistake(std::move(pointer), "has " + std::to_string(given->size()) + " bytes, at most " +
                                      std::to_string(script_bytes_max) + " are allowed");
    else if (has_nul(*given))
      mistake(std::move(pointer), "a script cannot hold a NUL character");
  }

  void read_image(const std::optional<std::string>& given, std::string pointer, std::string& out) {
    if (!given) return;
    out = *given;
    if (is_blank(*given))
      mistake(std::move(pointer), "names no image: leave it out to run without one");
    else if (given->size() > image_bytes_max || has_nul(*given))
      mistake(std::move(pointer), "the name of an image has at most " +
                                      std::to_string(image_bytes_max) +
                                      " bytes and no NUL character");
  }

  void read_envs(const std::map<std::string, EnvText>& given, const std::string& pointer,
                 Payload& payload) {
    for (const auto& [name, value] : given) {
      std::string place = pointer;
      wire::append_pointer(place, name);
      if (!is_identifier(name))
        mistake(place, quote(name) +
                           " is not a name of a variable: letters, digits and _, not a "
                           "digit first");
      else if (name.starts_with("SUAN_"))
        mistake(place, "variables that start with SUAN_ are set by the domain");
      else if (has_nul(value.text))
        mistake(place, "a variable cannot hold a NUL character");
      else
        payload.envs[name] = value.text;
    }
    std::size_t bytes = 0;
    for (const auto& [name, value] : payload.envs) bytes += name.size() + value.size() + 2;
    if (payload.envs.size() > envs_max || bytes > envs_bytes_max)
      mistake(pointer, "at most " + std::to_string(envs_max) + " variables of " +
                           std::to_string(envs_bytes_max) + " bytes in all are allowed");
  }

  void read_payload() {
    Payload& payload = job_.payload;
    read_script(document_.run, "/run", payload.run);
    read_script(document_.setup, "/setup", payload.setup);
    read_image(document_.image, "/image", payload.image);
    read_envs(document_.envs, "/envs", payload);
    read_data(document_, payload, [this](std::string pointer, std::string text) {
      mistake(std::move(pointer), std::move(text));
    });
    if (!job_.spec.checkpoint_path.empty())
      payload.envs[std::string(checkpoint_env)] = job_.spec.checkpoint_path;
  }

  // The alternative of a wish, or nullopt after noting a mistake.
  std::optional<Alternative> alternative(const Wish& wish, const std::string& pointer) {
    if (wish.chip.empty() || known_.chips.empty())
      return Alternative{wish.chip, wish.card_milli, {}};
    const ChipMatch match = match_chip(wish.chip, known_.chips);
    if (!match.chip.empty()) return Alternative{std::string(match.chip), wish.card_milli, {}};
    std::string text = quote(wish.chip);
    if (!match.several.empty()) {
      text += " could be ";
      for (const std::string_view each : match.several)
        text += (each == match.several.front() ? "" : ", ") + std::string(each);
      text += ": name one";
    } else {
      text += " is no chip known here";
      if (!match.near.empty()) text += ", did you mean " + quote(match.near) + "?";
    }
    mistake(pointer, std::move(text), std::string(match.near));
    return std::nullopt;
  }

  Alternative* find(const Alternative& wanted) {
    auto& all = job_.spec.alternatives;
    const auto at = std::find(all.begin(), all.end(), wanted);
    return at == all.end() ? nullptr : &*at;
  }

  void read_alternatives() {
    JobSpec& spec = job_.spec;
    if (document_.resources && document_.resources->accelerators) {
      const Wishes& wishes = *document_.resources->accelerators;
      for (const Wish& wish : wishes.list) {
        const std::string pointer = "/resources/accelerators" + wish.at;
        const auto found = alternative(wish, pointer);
        if (found && find(*found))
          mistake(pointer, "these cards are asked for twice");
        else if (found)
          spec.alternatives.push_back(*found);
      }
      spec.is_ordered = wishes.is_ordered && wishes.list.size() > 1;
    }
    job_.variants.resize(spec.alternatives.size());
    read_variants();
    if (spec.alternatives.empty()) {
      spec.alternatives.emplace_back();
      job_.variants.emplace_back();
    }
    for (std::size_t i = 0; i < spec.alternatives.size(); ++i) {
      const Payload& payload = job_.variants[i] ? *job_.variants[i] : job_.payload;
      spec.alternatives[i].runs_image = !payload.image.empty();
      if (payload.image.empty()) refuse_absolute(payload);
    }
    if (document_.workdir) spec.workdir = document_.workdir->workdir;
    spec.moves_data = spec.workdir.is_given() || job_.payload.moves_data();
    spec.stores = stores_of(job_.payload);
    const bool has_run_each =
        std::all_of(job_.variants.begin(), job_.variants.end(),
                    [](const auto& own) { return own && !is_blank(own->run); });
    if (is_blank(job_.payload.run) && !has_run_each)
      mistake("/run", "run is missing: the commands to run, in bash");
  }

  // Without an image the work sees the machine, on which nobody may put things anywhere.
  void refuse_absolute(const Payload& payload) {
    const auto refuse = [&](std::string pointer, const std::string& path) {
      if (!path.starts_with('/')) return;
      wire::append_pointer(pointer, path);
      mistake(std::move(pointer), quote(path) +
                                      " is absolute, which needs an `image`; without one say "
                                      "where below the working directory, such as " +
                                      quote(path.substr(1)));
    };
    for (const Input& each : payload.inputs) refuse("/inputs", each.path);
    for (const Output& each : payload.outputs) refuse("/outputs", each.path);
  }

  static bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  }

  void read_variants() {
    const auto& variants = document_.variants;
    if (variants.size() > variants_max)
      return mistake("/variants", "has " + std::to_string(variants.size()) + " elements, at most " +
                                      std::to_string(variants_max) + " are allowed");
    std::vector<Alternative> seen;
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const VariantDocument& variant = variants[i];
      const std::string place = element_pointer("/variants", i);
      const auto wanted =
          alternative(variant.accelerators.value_or(Wish{}), place + "/accelerators");
      if (!wanted) continue;
      if (std::find(seen.begin(), seen.end(), *wanted) != seen.end()) {
        mistake(place + "/accelerators", "an earlier variant asks for the same cards");
        continue;
      }
      seen.push_back(*wanted);
      Payload own = job_.payload;
      read_script(variant.run, place + "/run", own.run);
      if (variant.run && is_blank(*variant.run))
        mistake(place + "/run",
                "there is nothing to run here: leave it out to run what the job runs");
      read_script(variant.setup, place + "/setup", own.setup);
      read_image(variant.image, place + "/image", own.image);
      read_envs(variant.envs, place + "/envs", own);
      auto& all = job_.spec.alternatives;
      const Alternative* there = find(*wanted);
      std::size_t index = all.size();
      if (there) {
        index = static_cast<std::size_t>(there - all.data());
      } else {
        all.push_back(*wanted);
        job_.variants.emplace_back();
      }
      if (own != job_.payload) job_.variants[index] = std::move(own);
    }
  }

  const SpecDocument& document_;
  const Known& known_;
  const Sites sites_;
  JobRequest job_;
  Mistakes mistakes_;
};

struct ReadDocument {
  SpecDocument document;
  Mistakes mistakes;
  std::vector<std::pair<std::string, std::string>> written;
};

ReadDocument read_text(std::string_view json) {
  ReadDocument read;
  const auto tree =
      wire::parse_json(json, {.bytes_max = spec_bytes_max, .values_max = spec_values_max});
  if (!tree) {
    read.mistakes.push_back({tree.error().place, tree.error().text, {}});
    return read;
  }
  wire::JsonReader reader(mistakes_max);
  reader.read(tree->root(), read.document);
  read.mistakes = reader.take_mistakes();
  read.written = reader.written();
  return read;
}

bool is_in(std::string_view pointer, std::string_view outer) {
  return pointer.starts_with(outer) &&
         (pointer.size() == outer.size() || pointer[outer.size()] == '/');
}

}  // namespace

Digest payload_digest(const Payload& payload, const std::vector<std::optional<Payload>>& variants) {
  wire::Writer writer;
  writer.sized_record(payload);
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (!variants[i]) continue;
    writer.varint(i);
    writer.sized_record(*variants[i]);
  }
  return wire::hash(writer.written());
}

std::expected<SpecDocument, Mistakes> read_document(std::string_view json) {
  ReadDocument read = read_text(json);
  if (!read.mistakes.empty()) return std::unexpected(std::move(read.mistakes));
  return std::move(read.document);
}

std::expected<JobRequest, Mistakes> read_job(const SpecDocument& document, const Known& known,
                                             Sites sites) {
  return JobReader(document, known, sites).read();
}

std::expected<JobRequest, Mistakes> read_spec(std::string_view json, const Known& known,
                                              Sites sites) {
  ReadDocument read = read_text(json);
  auto job = read_job(read.document, known, sites);
  if (job && read.mistakes.empty()) return job;
  Mistakes all = std::move(read.mistakes);
  const std::size_t of_text = all.size();
  for (Mistake& each : job ? Mistakes{} : std::move(job).error()) {
    for (const auto& [own, written] : read.written) {
      if (is_in(each.pointer, own)) each.pointer.replace(0, own.size(), written);
    }
    // What could not be read has been said once; what follows from it is no other mistake.
    const bool is_known =
        std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(of_text),
                    [&](const Mistake& earlier) { return is_in(each.pointer, earlier.pointer); });
    if (!is_known && all.size() < mistakes_max) all.push_back(std::move(each));
  }
  return std::unexpected(std::move(all));
}

std::string spec_schema() {
  return wire::json_schema<SpecDocument>();
}

}  // namespace suan::spec
