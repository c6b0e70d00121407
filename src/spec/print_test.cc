#include "spec/print.h"

#include <gtest/gtest.h>

#include "spec/inputs.h"
#include "spec/yaml.h"
#include "testing/property.h"
#include "wire/hash.h"
#include "wire/json.h"
#include "wire/json_view.h"
#include "wire/random_record.h"

namespace suan::spec {
namespace {

const Known known{{"Ascend910B3", "A100-80G-SXM", "H800-SXM", "H20", "H200-SXM", "RTX4090"}};

template <class T>
T one_of(Random& random, std::initializer_list<T> values) {
  return *(values.begin() + static_cast<std::ptrdiff_t>(random.below(values.size())));
}

Bounds random_bounds(Random& random, std::int64_t unit) {
  if (random.chance(1, 3)) return {};
  const std::int64_t least = random.between(1, 2000) * unit;
  const std::int64_t most =
      one_of(random, {std::int64_t{0}, least, least + random.between(0, 1000) * unit});
  return {least, most};
}

std::string random_script(Random& random) {
  std::string text = wire::random_text(random);
  return text.find_first_not_of(" \t\r\n") == std::string::npos ? text + "x" : text;
}

void add_envs(Random& random, std::map<std::string, std::string>& envs) {
  for (const char* name : {"A", "_b", "MODEL_9"}) {
    if (random.chance(1, 3)) envs[name] = wire::random_text(random);
  }
}

void add_alternatives(Random& random, JobRequest& job) {
  const std::size_t size = 1 + random.below(std::size_t{4});
  while (job.spec.alternatives.size() < size) {
    Alternative each;
    if (random.chance(4, 5)) {
      each.chip = known.chips[random.below(known.chips.size())];
      each.card_milli = random.chance(1, 3) ? random.between(1, 999) : random.between(1, 64) * 1000;
    }
    auto& all = job.spec.alternatives;
    if (std::find(all.begin(), all.end(), each) == all.end()) all.push_back(each);
  }
  job.spec.is_ordered = size > 1 && random.chance(1, 2);
  job.variants.resize(size);
  for (auto& own : job.variants) {
    if (random.chance(1, 2)) continue;
    Payload payload = job.payload;
    if (random.chance(1, 2)) payload.run = random_script(random);
    if (random.chance(1, 2)) payload.setup = wire::random_text(random);
    if (random.chance(1, 3)) payload.image = "own.tar";
    add_envs(random, payload.envs);
    if (payload != job.payload) own = payload;
  }
}

JobRequest random_job(Random& random) {
  JobRequest job;
  JobSpec& spec = job.spec;
  spec = wire::random_record<JobSpec>(random);  // The fields below replace what must be valid.
  spec.name = one_of<std::string>(random, {"", "job", "A.b_c-9"});
  job.project = one_of<std::string>(random, {"", "lab-a"});
  spec.project = {};
  spec.nodes = 1;
  spec.elements = 1;
  (random.chance(1, 2) ? spec.nodes : spec.elements) =
      static_cast<std::uint32_t>(random.between(1, 1024));
  if (spec.kind == JobKind::service) spec.nodes = 1;
  if (spec.nodes == 1) spec.spread = Spread::pool;
  if (spec.is_spread()) std::swap(spec.nodes, spec.elements);
  spec.cpu_milli = random_bounds(random, 1);
  spec.memory_bytes = random_bounds(random, one_of<std::int64_t>(random, {1, 1 << 20, 1'000'000}));
  spec.disk_bytes = random.between(0, 5) * 1'000'000;
  spec.shm_bytes = 0;
  spec.where = {};
  if (random.chance(1, 2)) spec.where = {{"cn-sh"}, {"cn-xj", "us"}, {"site-1"}, "cn"};
  if (random.chance(1, 2)) {
    spec.where.near = {"西安", 34'270'000, 108'950'000};
    spec.where.max_rtt = milliseconds(random.between(0, 2));
    if (spec.where.max_rtt == Span{} || random.chance(1, 2))
      spec.where.circle = static_cast<Circle>(random.between(1, 3));
  }
  spec.hourly_max = {random.between(0, 1'000'000'000)};
  spec.budget = {random.between(0, 3)};
  spec.not_before = {random.between(0, 2'000'000'000'000'000)};
  spec.deadline = random.chance(1, 2) ? Moment{} : spec.not_before + seconds(1);
  if (spec.deadline == Moment{}) spec.window = Window::none;
  if (spec.window == Window::cheapest) spec.objective = Objective::cost;
  if (spec.window == Window::greenest) spec.objective = Objective::carbon;
  spec.carbon_max = static_cast<std::uint32_t>(random.between(0, 10'000));
  spec.is_spot = random.chance(1, 2);
  spec.max_duration = {random.between(0, 1'000'000'000)};
  spec.grace = JobSpec{}.grace;
  spec.checkpoint_path = one_of<std::string>(random, {"", "/ckpt"});
  spec.checkpoint_signal = one_of<std::string>(random, {"", "USR1", "TERM"});
  spec.checkpoint_notice =
      spec.checkpoint_signal.empty() ? Span{} : Span{random.between(1, 3'600'000'000)};
  spec.partition.lost_after = {random.between(0, 1'000'000'000)};
  spec.retry.duration = {random.between(0, 1'000'000'000)};
  spec.payload = {};
  job.payload.run = random_script(random);
  job.payload.setup = wire::random_text(random);
  job.payload.image = one_of<std::string>(random, {"", "debian-12", "rootfs:/srv/images/a b"});
  if (random.chance(1, 3)) job.payload.inputs.push_back({"data", "hub:a/b", ""});
  if (random.chance(1, 3))
    job.payload.inputs.push_back({"more", "https://h/file", std::string(64, '7')});
  if (random.chance(1, 3)) job.payload.outputs.push_back({"out", "bucket:c", random.chance(1, 2)});
  add_envs(random, job.payload.envs);
  if (!spec.checkpoint_path.empty())
    job.payload.envs["SUAN_CHECKPOINT_PATH"] = spec.checkpoint_path;
  spec.alternatives.clear();
  spec.is_ordered = false;
  add_alternatives(random, job);
  for (std::size_t i = 0; i < spec.alternatives.size(); ++i)
    spec.alternatives[i].runs_image =
        !(job.variants[i] ? *job.variants[i] : job.payload).image.empty();
  spec.payload_digest = payload_digest(job.payload, job.variants);
  spec.workdir = {};
  if (random.chance(1, 3)) spec.workdir = {std::string(64, 'c'), random.between(1, 1'000'000)};
  spec.moves_data = spec.workdir.is_given() || job.payload.moves_data();
  spec.stores = stores_of(job.payload);
  return job;
}

TEST(PrintSpec, ReadsBackAsTheSameJob) {
  for_each_seed(
      [](Random& random) {
        const JobRequest job = random_job(random);
        const std::string json = print_spec(job);
        const auto again = read_spec(json, known);
        ASSERT_TRUE(again) << json << again.error()[0].pointer << again.error()[0].text;
        EXPECT_EQ(wire::to_json(again->spec), wire::to_json(job.spec)) << json;
        EXPECT_EQ(*again, job) << json;
        EXPECT_EQ(print_spec(*again), json);
      },
      2000);
}

TEST(PrintSpec, ReadsBackFromYaml) {
  for_each_seed(
      [](Random& random) {
        const JobRequest job = random_job(random);
        const auto yaml = wire::print_yaml(print_spec(job));
        ASSERT_TRUE(yaml);
        const auto text = read_yaml(*yaml);
        ASSERT_TRUE(text) << *yaml << text.error().place << text.error().text;
        EXPECT_EQ(*read_spec(text->json, known), job) << *yaml;
      },
      500);
}

TEST(PrintSpec, LeavesDefaultsOut) {
  const auto job = read_spec(
      R"({"run":"x","nodes":1,"queue":{"priority":"normal"},"resources":{"gpus":"h20:2"},)"
      R"("partition":{"replace":false,"reconcile":"fence_old"},"price":{"spot_policy":"auto"}})",
      known);
  ASSERT_TRUE(job);
  EXPECT_EQ(print_spec(*job), R"({"resources":{"accelerators":"H20:2"},"run":"x"})");
}

}  // namespace
}  // namespace suan::spec
