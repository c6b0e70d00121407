#include "spec/print.h"

#include <algorithm>
#include <set>

#include "wire/json.h"

namespace suan::spec {

namespace {

// The field if it says anything.
template <class T>
std::optional<T> given(const T& value, const T& default_value = {}) {
  return value == default_value ? std::nullopt : std::optional(value);
}

// The part if any of its fields says anything.
template <class Part>
std::optional<Part> part(Part whole) {
  return wire::to_json(whole) == "{}" ? std::nullopt : std::optional(std::move(whole));
}

Wish wish(const Alternative& alternative) {
  return {alternative.chip, alternative.card_milli, {}};
}

// What a variant has that the job has not.
VariantDocument variant(const Alternative& alternative, const Payload& job,
                        const std::optional<Payload>& own) {
  VariantDocument out;
  if (!alternative.chip.empty()) out.accelerators = wish(alternative);
  if (!own) return out;
  out.run = given(own->run, job.run);
  out.setup = given(own->setup, job.setup);
  out.image = given(own->image, job.image);
  for (const auto& [name, value] : own->envs) {
    const auto there = job.envs.find(name);
    if (there == job.envs.end() || there->second != value) out.envs[name] = {value};
  }
  return out;
}

// Alternatives in order, or a few plain ones, are said under resources; others as variants, which
// may name a chip twice.
void print_alternatives(const JobRequest& job, ResourcesDocument& resources,
                        std::vector<VariantDocument>& variants) {
  const auto& all = job.spec.alternatives;
  const auto own = [&](std::size_t i) {
    return i < job.variants.size() ? job.variants[i] : std::nullopt;
  };
  std::set<std::string> chips;
  bool are_plain = true;
  for (std::size_t i = 0; i < all.size(); ++i)
    are_plain = are_plain && chips.insert(all[i].chip).second && !own(i) && !all[i].chip.empty();
  if (all.size() == 1 && all[0].chip.empty() && !own(0)) return;
  const bool are_wishes = job.spec.is_ordered || are_plain;
  if (are_wishes) {
    Wishes& wishes = resources.accelerators.emplace();
    wishes.is_ordered = job.spec.is_ordered;
    for (const Alternative& each : all) wishes.list.push_back(wish(each));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!are_wishes || own(i)) variants.push_back(variant(all[i], job.payload, own(i)));
  }
}

ResourcesDocument print_resources(const JobSpec& spec) {
  ResourcesDocument out;
  if (spec.cpu_milli.least > 0) out.cpus = CpuRange{spec.cpu_milli};
  if (spec.memory_bytes.least > 0) out.memory = MemoryRange{spec.memory_bytes};
  if (spec.disk_bytes > 0) out.disk_size = ByteSize{spec.disk_bytes};
  out.network_tier = given(spec.network_tier);
  if (spec.spread == Spread::site) out.topology = TopologyDocument{"site", {}};
  if (spec.spread == Spread::network) out.topology = TopologyDocument{{}, "site"};
  return out;
}

WhereDocument print_where(const Where& where) {
  WhereDocument out;
  out.near = given(where.near.name);
  if (where.circle != Circle::none)
    out.circle = {std::string(circles[static_cast<std::size_t>(where.circle) - 1])};
  out.max_rtt = given(where.max_rtt);
  out.regions = where.regions;
  out.exclude_regions = where.exclude_regions;
  out.sites = where.sites;
  out.data_residency = given(where.data_residency);
  return out;
}

RetryDocument print_retry(const Retry& retry) {
  RetryDocument out;
  if (retry.on_interruption) out.on_events.push_back({"interruption"});
  if (retry.on_site_lost) out.on_events.push_back({"site-lost"});
  out.duration = given(retry.duration);
  return out;
}

CheckpointDocument print_checkpoint(const JobSpec& spec) {
  CheckpointDocument out;
  out.path = given(spec.checkpoint_path);
  if (!spec.checkpoint_signal.empty())
    out.signal = SignalNotice{spec.checkpoint_signal, spec.checkpoint_notice};
  return out;
}

}  // namespace

SpecDocument print_document(const JobRequest& job) {
  const JobSpec& spec = job.spec;
  SpecDocument out;
  out.name = given(spec.name);
  out.project = given(job.project);
  out.kind = given(spec.kind);
  const std::uint32_t nodes = spec.is_spread() ? spec.elements : spec.nodes;
  if (nodes != 1) out.num_nodes = nodes;
  if (spec.elements != 1 && !spec.is_spread())
    (spec.kind == JobKind::service ? out.replicas : out.array) = spec.elements;
  ResourcesDocument resources = print_resources(spec);
  print_alternatives(job, resources, out.variants);
  out.resources = part(std::move(resources));
  out.where = part(print_where(spec.where));
  PriceDocument price{given(spec.hourly_max), given(spec.budget), {}};
  if (spec.is_spot) price.spot_policy = {std::string("spot")};
  out.price = part(std::move(price));
  if (spec.carbon_max > 0) out.energy = EnergyDocument{spec.carbon_max, {}};
  StartDocument start{given(spec.not_before), given(spec.deadline), {}};
  if (spec.window != Window::none)
    start.window = {std::string(windows[static_cast<std::size_t>(spec.window) - 1])};
  out.start = part(std::move(start));
  out.objective = given(spec.objective);
  for (const auto& [name, value] : job.payload.envs) {
    if (!name.starts_with("SUAN_")) out.envs[name] = {value};
  }
  out.image = given(job.payload.image);
  if (spec.workdir.is_given()) out.workdir = PackedWorkdir{spec.workdir};
  for (const Input& each : job.payload.inputs)
    out.inputs[each.path] = {
        .source = each.source,
        .checksum = each.sha256.empty() ? std::nullopt : std::optional("sha256:" + each.sha256),
        .stage = std::nullopt};
  for (const Output& each : job.payload.outputs) {
    OutputDocument& output = out.outputs[each.path];
    output.to = each.to;
    if (each.is_always) output.when = {"always"};
  }
  out.setup = given(job.payload.setup);
  out.run = given(job.payload.run);
  out.max_duration = given(spec.max_duration);
  out.retry = part(print_retry(spec.retry));
  out.checkpoint = part(print_checkpoint(spec));
  out.partition =
      part(PartitionDocument{given(spec.partition.lost_after), given(spec.partition.replace), {}});
  out.queue = part(QueueDocument{given(spec.priority), {}});
  return out;
}

std::string print_spec(const JobRequest& job) {
  return wire::to_json(print_document(job));
}

}  // namespace suan::spec
