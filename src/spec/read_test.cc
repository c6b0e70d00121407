#include "spec/read.h"

#include <array>

#include <gtest/gtest.h>

#include "base/text.h"
#include "spec/chips.h"
#include "spec/regions.h"
#include "spec/yaml.h"
#include "wire/json_tree.h"

namespace suan::spec {
namespace {

const Known known{{"Ascend910B1", "Ascend910B2", "Ascend910B3", "A100-80G-SXM", "H800-SXM", "H20",
                   "H200-SXM", "MXC500-PCIe", "MXC500-OAM", "RTX4090"}};

std::expected<JobRequest, Mistakes> read(std::string_view yaml) {
  const auto text = read_yaml(yaml);
  if (!text) return std::unexpected(Mistakes{{text.error().place, text.error().text, {}}});
  return read_spec(text->json, known);
}

// The pointers of the mistakes, each behind a blank.
std::string places(std::string_view yaml) {
  const auto job = read(yaml);
  std::string out;
  if (!job) {
    for (const auto& each : job.error()) out += " " + each.pointer;
  }
  return out;
}

TEST(ReadSpec, NeedsOnlyRun) {
  const auto job = read("run: hostname");
  ASSERT_TRUE(job);
  JobSpec expected;
  expected.alternatives.resize(1);
  expected.payload_digest = payload_digest({"hostname", "", "", {}}, {});
  EXPECT_EQ(job->spec, expected);
  EXPECT_EQ(job->payload.run, "hostname");
  EXPECT_EQ(job->project, "");
  ASSERT_EQ(job->variants.size(), 1U);
  EXPECT_FALSE(job->variants[0]);
}

constexpr std::string_view whole = R"(
version: 2026-11
name: qwen-sft
project: lab-a
nodes: 2
resources:
  accelerators: [h800:8, Ascend910B3:16]
  cpus: 64+
  memory: 512GB..1TB
  disk_size: 1TB
  network_tier: rdma
variants:
  - {accelerators: H800:8}
  - {accelerators: Ascend910B3:16, run: python train_npu.py, envs: {BACKEND: cann}}
where:
  regions: [cn-sh, cn-js]
  exclude_regions: [cn-xj]
  sites: [sh-1]
  data_residency: cn
price: {max_hourly_cost: 160, budget: "2000.5", spot_policy: spot}
objective: balanced
start: {not_before: 2026-12-01T00:00:00+08:00, deadline: 2026-12-02T08:00:00+08:00}
envs: {MODEL: qwen3, EPOCHS: 3, RATE: 1.50, DEBUG: true}
setup: pip install -r requirements.txt
run: |
  torchrun train.py
max_duration: 6h
retry: {on_events: [no-capacity, interruption, site-lost], duration: 2h}
checkpoint: {path: /ckpt, signal: "SIGUSR1@120s"}
partition: {lost_after: 10m, replace: true, reconcile: fence_old}
queue: {priority: high}
energy: {max_carbon: 400}
)";

TEST(ReadSpec, HonoursEveryFieldItAccepts) {
  const auto job = read(whole);
  ASSERT_TRUE(job) << job.error()[0].pointer << ": " << job.error()[0].text;
  const JobSpec& spec = job->spec;
  EXPECT_EQ(spec.name, "qwen-sft");
  EXPECT_EQ(job->project, "lab-a");
  EXPECT_EQ(spec.nodes, 2U);
  ASSERT_EQ(spec.alternatives.size(), 2U);
  EXPECT_EQ(spec.alternatives[0], (Alternative{"H800-SXM", 8000, {}}));
  EXPECT_EQ(spec.alternatives[1], (Alternative{"Ascend910B3", 16000, {}}));
  EXPECT_TRUE(spec.is_ordered);
  EXPECT_EQ(spec.cpu_milli, (Bounds{64'000, 0}));
  EXPECT_EQ(spec.memory_bytes, (Bounds{512'000'000'000, 1'000'000'000'000}));
  EXPECT_EQ(spec.disk_bytes, 1'000'000'000'000);
  EXPECT_EQ(spec.network_tier, NetworkTier::rdma);
  EXPECT_EQ(spec.where, (Where{{"cn-sh", "cn-js"}, {"cn-xj"}, {"sh-1"}, "cn"}));
  EXPECT_EQ(spec.hourly_max, yuan(160));
  EXPECT_EQ(spec.budget.micro, 2'000'500'000);
  EXPECT_EQ(spec.objective, Objective::balanced);
  EXPECT_EQ(print_moment(spec.not_before), "2026-11-30T16:00:00Z");
  EXPECT_EQ(print_moment(spec.deadline), "2026-12-02T00:00:00Z");
  EXPECT_EQ(spec.max_duration, hours(6));
  EXPECT_EQ(spec.retry, (Retry{true, true, hours(2)}));
  EXPECT_EQ(spec.checkpoint_path, "/ckpt");
  EXPECT_EQ(spec.checkpoint_signal, "USR1");
  EXPECT_EQ(spec.checkpoint_notice, minutes(2));
  EXPECT_EQ(spec.partition, (Partition{minutes(10), true}));
  EXPECT_EQ(spec.priority, Priority::high);
  EXPECT_EQ(spec.carbon_max, 400U);
  EXPECT_TRUE(spec.is_spot);
  EXPECT_FALSE(read("{run: x, price: {spot_policy: on-demand}}")->spec.is_spot);
  EXPECT_EQ(job->payload.run, "torchrun train.py\n");
  EXPECT_EQ(job->payload.setup, "pip install -r requirements.txt");
  const std::map<std::string, std::string> envs{{"MODEL", "qwen3"},
                                                {"EPOCHS", "3"},
                                                {"RATE", "1.50"},
                                                {"DEBUG", "true"},
                                                {"SUAN_CHECKPOINT_PATH", "/ckpt"}};
  EXPECT_EQ(job->payload.envs, envs);
  EXPECT_FALSE(job->variants[0]) << "it overrides nothing";
  ASSERT_TRUE(job->variants[1]);
  EXPECT_EQ(job->variants[1]->run, "python train_npu.py");
  EXPECT_EQ(job->variants[1]->setup, job->payload.setup);
  EXPECT_EQ(job->variants[1]->envs.size(), 6U);
  EXPECT_EQ(spec.payload_digest, payload_digest(job->payload, job->variants));
}

TEST(ReadSpec, KnowsArraysAndServices) {
  EXPECT_EQ(read("{run: x, array: 10000}")->spec.elements, 10'000U);
  const auto service = read("{run: x, kind: service, replicas: 3}");
  EXPECT_EQ(service->spec.kind, JobKind::service);
  EXPECT_EQ(service->spec.elements, 3U);
  EXPECT_EQ(places("{run: x, replicas: 3}"), " /replicas");
  EXPECT_EQ(places("{run: x, kind: service, array: 3}"), " /array");
  EXPECT_EQ(places("{run: x, nodes: 2, array: 3}"), " /nodes");
}

TEST(ReadSpec, ReadsEveryFormOfAccelerators) {
  const auto alternatives = [](std::string_view form) {
    const auto job = read("run: x\nresources: {accelerators: " + std::string(form) + "}");
    std::string out;
    if (!job) return job.error()[0].pointer + ": " + job.error()[0].text;
    for (const Alternative& each : job->spec.alternatives)
      out += each.chip + ":" + std::to_string(each.card_milli) + " ";
    return out + (job->spec.is_ordered ? "in order" : "any");
  };
  EXPECT_EQ(alternatives("H800"), "H800-SXM:1000 any");
  EXPECT_EQ(alternatives("H800:8"), "H800-SXM:8000 any");
  EXPECT_EQ(alternatives("\"H800: 8\""), "H800-SXM:8000 any");
  EXPECT_EQ(alternatives("H800:0.25"), "H800-SXM:250 any");
  EXPECT_EQ(alternatives("{H800: 8, H20: 16}"), "H800-SXM:8000 H20:16000 any");
  EXPECT_EQ(alternatives("[H800:8, H20:16]"), "H800-SXM:8000 H20:16000 in order");
  EXPECT_EQ(alternatives("[H800: 8, none]"), "H800-SXM:8000 :0 in order");
  EXPECT_EQ(alternatives("{H20: 1, none: 0}"), "H20:1000 :0 any");
  EXPECT_EQ(alternatives("none"), ":0 any");
  EXPECT_EQ(alternatives("H800:1.5").substr(0, 24), "/resources/accelerators:");
  EXPECT_EQ(alternatives("H800:65").substr(0, 24), "/resources/accelerators:");
  EXPECT_EQ(alternatives("H800:0").substr(0, 24), "/resources/accelerators:");
  EXPECT_EQ(alternatives("8").substr(0, 24), "/resources/accelerators:");
  EXPECT_EQ(alternatives("{H800: 8, H801: 8}"),
            "/resources/accelerators/H801: \"H801\" is no chip known here, did you mean "
            "\"H800-SXM\"?");
  EXPECT_EQ(alternatives("[H20:1, H20:1]"),
            "/resources/accelerators/1: these cards are asked for twice");
}

TEST(ReadSpec, CollectsAllMistakesOfTextAndOfMeaning) {
  EXPECT_EQ(places("{nodes: 0, envs: {1A: x}, resources: {gpus: H8, cpus: -1}, ports: x, runn: 1}"),
            " /resources/cpus /runn /ports /nodes /envs/1A /resources/gpus /run");
}

TEST(ReadSpec, SaysOnceWhatCouldNotBeRead) {
  EXPECT_EQ(places("run: 5"), " /run");
  EXPECT_EQ(places("[]"), " ");
  EXPECT_EQ(places("{run: x, price: 5}"), " /price");
}

TEST(ReadSpec, RefusesByNameWhatItDoesNotHonour) {
  const auto job = read(R"(
resources: {shm_size: 64GB, topology: {required: switch}}
where: {min_bandwidth: 10Gbps}
trust: {signed_by: {any_of: [national]}, min_reliability: 0.99, min_bench: {bf16_gemm: 0.90}}
energy: {prefer: green}
secrets: [HF_TOKEN]
ports: [8265]
autostop: {idle: 15m}
queue: {after: [prep]}
run: x
)");
  ASSERT_FALSE(job);
  std::string refused;
  for (const auto& each : job.error()) {
    const std::size_t end = each.text.find(" is not honoured by this domain yet");
    ASSERT_NE(end, std::string::npos) << each.text;
    refused += each.text.substr(0, end) + "\n";
  }
  EXPECT_EQ(refused,
            "resources.shm_size\nwhere.min_bandwidth\n"
            "trust.signed_by\ntrust.min_reliability\n"
            "trust.min_bench\nenergy.prefer\n"
            "secrets\nports\nautostop\nqueue.after\nresources.topology: switch\n");
}

Where read_where(const std::string& where, Sites sites = {}) {
  const auto job = read_spec(read_yaml("{run: x, where: {" + where + "}}")->json, known, sites);
  EXPECT_TRUE(job) << where;
  return job ? job->spec.where : Where{};
}

TEST(ReadSpec, NearIsACityASiteOrCoordinates) {
  const std::array<Near, 2> sites{{{"shanghai", 31'000'000, 121'000'000}, {"lab", 0, 0}}};
  EXPECT_EQ(read_where("near: 上海").near, (Near{"上海", 31'220'000, 121'480'000}));
  EXPECT_EQ(read_where("near: Shanghai").near, (Near{"Shanghai", 31'220'000, 121'480'000}));
  EXPECT_EQ(read_where("near: shanghai", sites).near, sites[0]);
  EXPECT_EQ(read_where("near: '31.5,121'").near, (Near{"31.5,121", 31'500'000, 121'000'000}));
  const auto job = read_spec(read_yaml("{run: x, where: {near: lab}}")->json, known, sites);
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error()[0].text, "nobody has said where the site \"lab\" is: name a city");
}

TEST(ReadSpec, NearAloneMeansItsRegion) {
  EXPECT_EQ(read_where("near: 上海").circle, Circle::region);
  EXPECT_EQ(read_where("near: 上海").max_rtt, Span{});
  EXPECT_EQ(read_where("near: 上海, max_rtt: 30ms").circle, Circle::none);
  EXPECT_EQ(read_where("near: 上海, max_rtt: 30ms").max_rtt, milliseconds(30));
  EXPECT_EQ(read_where("near: 上海, circle: city, max_rtt: 30ms").circle, Circle::city);
  EXPECT_EQ(read_where("near: 上海, circle: national").circle, Circle::national);
}

TEST(ReadSpec, AnImageIsTheJobsOrAVariants) {
  const auto job = read(R"(
image: debian-12
variants: [{accelerators: "H800:8", image: cuda.tar}, {accelerators: "H20:8"}, {run: echo cores}]
run: x
)");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->payload.image, "debian-12");
  ASSERT_EQ(job->variants.size(), 3U);
  EXPECT_EQ(job->variants[0]->image, "cuda.tar");
  EXPECT_FALSE(job->variants[1]);
  EXPECT_EQ(job->variants[2]->image, "debian-12");
  for (const Alternative& each : job->spec.alternatives) EXPECT_TRUE(each.runs_image);

  const auto one = read("{variants: [{accelerators: 'H800:8', image: a}, {}], run: x}");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->spec.alternatives[0].runs_image);
  EXPECT_FALSE(one->spec.alternatives[1].runs_image);

  EXPECT_EQ(places("{run: x, image: ' ', variants: [{image: ''}]}"), " /image /variants/0/image");
  EXPECT_EQ(places("{run: x, image: " + std::string(1024, 'i') + "}"), "");
  EXPECT_EQ(places("{run: x, image: " + std::string(1025, 'i') + "}"), " /image");
  EXPECT_EQ(places("{run: x, image: \"a\\0b\"}"), " /image");
}

TEST(ReadSpec, InputsAndOutputsAreMoved) {
  const std::string sum(64, 'a');
  const auto job = read(R"(
image: debian-12
inputs:
  /data: {source: "https://example/corpus.tar", checksum: "sha256:)" +
                        sum + R"(", stage: before_start}
  model/base: {source: "hub:llama/8b"}
outputs:
  /out: {to: "bucket:lab-a/run", when: always}
  model/base: {to: "bucket:tuned"}
run: x
)");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->payload.inputs, (std::vector<Input>{{"/data", "https://example/corpus.tar", sum},
                                                     {"model/base", "hub:llama/8b", ""}}));
  EXPECT_EQ(job->payload.outputs, (std::vector<Output>{{"/out", "bucket:lab-a/run", true},
                                                       {"model/base", "bucket:tuned", false}}));
  EXPECT_TRUE(job->spec.moves_data);
  EXPECT_EQ(job->spec.stores, (std::vector<std::string>{"bucket", "hub"}));
  EXPECT_FALSE(read("run: x")->spec.moves_data);
}

TEST(ReadSpec, AWorkdirIsWhatWasBrought) {
  const std::string sum(64, 'b');
  const auto job = read("{run: x, workdir: {sha256: " + sum + ", bytes: 12}}");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->spec.workdir, (Workdir{sum, 12}));
  EXPECT_TRUE(job->spec.moves_data);
  for (const std::string& wrong :
       {std::string("."), std::string("{}"), "{sha256: " + sum + "}",
        "{sha256: " + sum + ", bytes: 0}", "{sha256: " + sum + ", bytes: 2000000000}",
        std::string("{sha256: abc, bytes: 1}"), std::string("[1]")})
    EXPECT_EQ(places("{run: x, workdir: " + wrong + "}"), " /workdir") << wrong;
}

TEST(ReadSpec, SaysWhatIsWrongWithData) {
  const auto inputs = [](const std::string& text) {
    return places("{run: x, inputs: {" + text + "}}");
  };
  EXPECT_EQ(inputs("data: {source: 'b:c'}"), "");
  EXPECT_EQ(inputs("data: {source: 'b:c/d.e-f_g/h'}"), "");
  EXPECT_EQ(inputs("data: {source: 'https://h/a%20b?c=d/'}"), "");
  EXPECT_EQ(inputs("data: {}"), " /inputs/data/source");
  for (const char* source : {"",           "x",
                             "b:",         ":x",
                             "b:/c",       "b:c/",
                             "b:c//d",     "b:../c",
                             "b:c/./d",    "-b:c",
                             ".b:c",       "b c:d",
                             "s3://b/c",   "file:///etc/shadow",
                             "/etc",       "b:c\\n",
                             "https://h",  "https://h/",
                             "https:///a", "https://h/a b",
                             "b,x=y:c",    ":local:/etc"})
    EXPECT_EQ(inputs("data: {source: \"" + std::string(source) + "\"}"), " /inputs/data/source")
        << source;
  for (const char* path : {".", "..", "a/../b", "a/", "a//b", "./a"})
    EXPECT_NE(inputs("'" + std::string(path) + "': {source: 'b:c'}"), "") << path;
  EXPECT_EQ(inputs("/data: {source: 'b:c'}"), " /inputs/~1data");  // Without an image.
  for (const char* path : {"/", "/proc", "/sys/x", "/dev/shm", "/suan/work", "/data/"})
    EXPECT_NE(places("{run: x, image: i, inputs: {'" + std::string(path) + "': {source: 'b:c'}}}"),
              "")
        << path;
  EXPECT_EQ(inputs("a: {source: 'b:c'}, a/b: {source: 'b:c'}"), " /inputs/a~1b");
  EXPECT_EQ(inputs("a: {source: 'b:c', checksum: 'md5:00'}"), " /inputs/a/checksum");
  EXPECT_EQ(inputs("a: {source: 'b:c', checksum: 'sha256:" + std::string(64, 'A') + "'}"),
            " /inputs/a/checksum");
  EXPECT_EQ(inputs("a: {source: 'b:c', stage: later}"), " /inputs/a/stage");
  EXPECT_EQ(places("{run: x, outputs: {out: {}}}"), " /outputs/out/to");
  EXPECT_EQ(places("{run: x, outputs: {out: {to: 'https://h/a'}}}"), " /outputs/out/to");
  EXPECT_EQ(places("{run: x, outputs: {out: {to: 'b:c', when: never}}}"), " /outputs/out/when");
  EXPECT_EQ(places("{run: x, inputs: {a: {source: 'b:c'}}, outputs: {a/b: {to: 'b:c'}}}"),
            " /outputs/a~1b");
}

TEST(ReadSpec, AWindowGoesWithADeadlineAndItsObjective) {
  const std::string deadline = "deadline: 2026-12-02T08:00:00+08:00";
  const auto cheap = read("{run: x, start: {window: cheapest, " + deadline + "}}");
  ASSERT_TRUE(cheap);
  EXPECT_EQ(cheap->spec.window, Window::cheapest);
  EXPECT_EQ(cheap->spec.objective, Objective::cost);
  const auto green = read("{run: x, start: {window: greenest, " + deadline + "}}");
  ASSERT_TRUE(green);
  EXPECT_EQ(green->spec.window, Window::greenest);
  EXPECT_EQ(green->spec.objective, Objective::carbon);
  EXPECT_EQ(places("{run: x, start: {window: cheapest}}"), " /start/window");
  EXPECT_EQ(places("{run: x, objective: finish, start: {window: cheapest, " + deadline + "}}"),
            " /objective");
  EXPECT_EQ(places("{run: x, start: {window: greener, " + deadline + "}}"), " /start/window");
}

TEST(ReadSpec, HasLimits) {
  const std::string script(256 << 10, 'x');
  EXPECT_EQ(places("run: " + script), "");
  EXPECT_EQ(places("run: " + script + "x"), " /run");
  EXPECT_EQ(places("{run: x, nodes: 1024}"), "");
  EXPECT_EQ(places("{run: x, nodes: 1025}"), " /nodes");
  EXPECT_EQ(places("{run: x, array: 10001}"), " /array");
  std::string envs = "{run: x, env: {A: x";
  for (int i = 0; i < 255; ++i) envs += ", E" + std::to_string(i) + ": x";
  EXPECT_EQ(places(envs + "}}"), "");
  EXPECT_EQ(places(envs + ", F: x}}"), " /env");
  EXPECT_EQ(places("{run: x, env: {A: " + std::string(64 << 10, 'x') + "}}"), " /env");
  EXPECT_EQ(places("{run: x, name: " + std::string(63, 'n') + "}"), "");
  EXPECT_EQ(places("{run: x, name: " + std::string(64, 'n') + "}"), " /name");
  std::string many = "{";
  for (int i = 0; i < 200; ++i) many += "\"zz" + std::to_string(i) + "\":1,";
  EXPECT_EQ(read_spec(many + "\"zz\":1}", known).error().size(), 50U);
  EXPECT_EQ(read_spec("\"" + std::string(1 << 20, 'x') + "\"", known).error().size(), 1U);
}

TEST(ReadSpec, DigestsThePayloadsWhole) {
  const Digest plain = read("run: x")->spec.payload_digest;
  EXPECT_EQ(read("{run: x, nodes: 2}")->spec.payload_digest, plain);
  EXPECT_NE(read("run: y")->spec.payload_digest, plain);
  EXPECT_NE(read("{run: x, env: {A: b}}")->spec.payload_digest, plain);
  EXPECT_NE(read("{run: x, variants: [{gpus: H20:1, run: y}]}")->spec.payload_digest, plain);
}

TEST(Chips, AreFoundByTheirNameOrAnUnambiguousStart) {
  const auto match = [](std::string_view name) { return match_chip(name, known.chips); };
  EXPECT_EQ(match("H20").chip, "H20");
  EXPECT_EQ(match("h200").chip, "H200-SXM");
  EXPECT_EQ(match("A100").chip, "A100-80G-SXM");
  EXPECT_EQ(match("a100-80g").chip, "A100-80G-SXM");
  EXPECT_EQ(match("ascend910b3").chip, "Ascend910B3");
  EXPECT_EQ(match("Ascend910B").several.size(), 3U);
  EXPECT_EQ(match("MXC500").several.size(), 2U);
  EXPECT_EQ(match("H2").several.size(), 2U);
  EXPECT_EQ(match("RTX409").near, "RTX4090");
  EXPECT_EQ(match("RTX409").chip, "");
  EXPECT_EQ(match("RTX4080").near, "RTX4090");
  EXPECT_EQ(match("toaster").near, "");
  EXPECT_EQ(match_chip("x", {}).chip, "");
}

TEST(Regions, AreCodesAndKnowTheirNames) {
  for (const std::string_view region : {"cn", "cn-sh", "us-ca", "fr-75", "gb-eng"})
    EXPECT_TRUE(is_region(region)) << region;
  for (const std::string_view text : {"", "c", "CN", "cn-", "cn_sh", "cn-shan", "chn", "cn-s h"})
    EXPECT_FALSE(is_region(text)) << text;
  EXPECT_EQ(suggest_region("CN_SH"), "cn-sh");
  EXPECT_EQ(suggest_region("Inner Mongolia"), "cn-nm");
  EXPECT_EQ(suggest_region("cn-shaanxi"), "cn-sn");
  EXPECT_EQ(suggest_region("atlantis"), "");
}

// Every field of the schema, wherever it is: as a path of names and indexes, and its schema.
struct Place {
  std::vector<std::string> path;
  std::string pointer;
};

void collect(wire::JsonValue definitions, std::string_view definition, const Place& at,
             std::vector<Place>& out) {
  const auto member = [](wire::JsonValue value, std::string_view name) {
    auto from = value.begin();
    return value.find(name, from);
  };
  const auto properties = *member(*member(definitions, definition), "properties");
  for (const wire::JsonValue property : properties) {
    Place place = at;
    place.path.emplace_back(property.name());
    wire::append_pointer(place.pointer, property.name());
    out.push_back(place);
    auto inner = member(property, "anyOf") ? *(*member(property, "anyOf")).begin() : property;
    if (const auto items = member(inner, "items")) {
      inner = *items;
      place.path.emplace_back("0");
      place.pointer += "/0";
    }
    if (const auto ref = member(inner, "$ref"))
      collect(definitions, ref->text().substr(ref->text().rfind('/') + 1), place, out);
  }
}

std::vector<Place> every_field() {
  const std::string schema = spec_schema();
  const auto tree = wire::parse_json(schema);
  std::vector<Place> out;
  for (const wire::JsonValue each : tree->root()) {
    if (each.name() == "$defs") collect(each, "SpecDocument", {}, out);
  }
  return out;
}

// A specification with this value at the place.
std::string with(const Place& place, std::string_view value) {
  std::string json(value);
  for (auto name = place.path.rbegin(); name != place.path.rend(); ++name)
    json = *name == "0" ? "[" + json + "]" : "{\"" + *name + "\":" + json + "}";
  if (place.path[0] != "run") json = "{\"run\":\"x\"," + json.substr(1);
  return json;
}

TEST(WrongSpecs, EveryFieldRefusesWrongTypesAndRangesAtItsPlace) {
  const auto fields = every_field();
  EXPECT_GT(fields.size(), 70U);
  for (const Place& place : fields) {
    for (const std::string_view wrong : {R"([[1]])", R"({"zz":{}})", "12345678901234567890"}) {
      const std::string json = with(place, wrong);
      const auto job = read_spec(json, known);
      ASSERT_FALSE(job) << json;
      for (const auto& each : job.error())
        EXPECT_TRUE(each.pointer.starts_with(place.pointer)) << json << ": " << each.pointer;
    }
  }
}

TEST(WrongSpecs, EveryMisspeltFieldNamesTheRightOne) {
  for (Place place : every_field()) {
    const std::string right = place.path.back();
    place.path.back() += right.back();
    const std::string json = with(place, "\"x\"");
    const auto job = read_spec(json, known);
    ASSERT_FALSE(job) << json;
    EXPECT_EQ(job.error()[0].pointer, place.pointer + right.back()) << json;
    // "envv" is as near to "envs" as to its other name.
    EXPECT_EQ(job.error()[0].suggestion, right == "env" ? "envs" : right) << json;
  }
}

TEST(ReadSpec, AGangMayBeInSeveralPoolsIfItsTopologySaysSo) {
  const auto gang = read("num_nodes: 4\nresources: {topology: {preferred: site}}\nrun: x\n");
  ASSERT_TRUE(gang);
  EXPECT_EQ(gang->spec.spread, Spread::network);
  EXPECT_EQ(gang->spec.nodes, 1U);
  EXPECT_EQ(gang->spec.elements, 4U);
  const auto within = read("num_nodes: 4\nresources: {topology: {required: site}}\nrun: x\n");
  ASSERT_TRUE(within);
  EXPECT_EQ(within->spec.spread, Spread::site);
  const auto alone = read("resources: {topology: {required: site}}\nrun: x\n");
  ASSERT_TRUE(alone);
  EXPECT_FALSE(alone->spec.is_spread());
  for (const char* wrong : {"{required: rack}", "{required: site, preferred: site}"})
    EXPECT_FALSE(read("resources: {topology: " + std::string(wrong) + "}\nrun: x\n")) << wrong;
}

TEST(WrongSpecs, NullIsNothing) {
  for (const Place& place : every_field()) {
    const std::string json = with(place, "null");
    const auto job = read_spec(json, known);
    if (place.pointer == "/run")
      EXPECT_FALSE(job);
    else
      EXPECT_TRUE(job) << json << job.error()[0].text;
  }
}

}  // namespace
}  // namespace suan::spec
