#include "domain/queue.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"
#include "testing/property.h"

namespace suan::domain {
namespace {

constexpr std::int64_t gib = 1LL << 30U;

/// A domain of one pool without cards, and organisations each with some projects, all of whose jobs
/// wait until the gates open.
class Gate {
 public:
  Gate(std::uint32_t nodes, std::int64_t cores, std::int64_t memory_gib) {
    scene.found();
    Pool pool = make_pool("cpu", nodes, 0, Money{1000});
    pool.cpu_milli_per_node = cores * 1000;
    pool.memory_bytes_per_node = memory_gib * gib;
    scene.start_member({pool});
  }

  ProjectId add_project(const std::string& name, const std::string& organisation) {
    if (scene.state.identity().find_organisation(organisation) == nullptr) {
      EXPECT_TRUE(scene.ask(CreateOrganisation{organisation}));
    }
    EXPECT_TRUE(scene.ask(CreateProject{name, organisation}));
    EXPECT_TRUE(scene.ask(Deposit{name, yuan(100'000), ""}));
    return ProjectId{scene.state.essence().last.project};
  }

  JobId put(ProjectId project, std::int64_t cores, std::int64_t memory_gib,
            Priority priority = Priority::normal) {
    JobSpec spec = make_spec(0);
    spec.project = project;
    spec.cpu_milli.least = cores * 1000;
    spec.memory_bytes.least = memory_gib * gib;
    spec.not_before = opens;
    spec.priority = priority;
    EXPECT_TRUE(scene.ask(submit(std::move(spec))));
    return JobId{scene.state.essence().last.job};
  }

  void open() {
    scene.now = std::max(scene.now, opens);
    while (const auto timer = scene.state.first_timer()) {
      if (timer->at > scene.now) break;
      ASSERT_TRUE(scene.run(Tick{}));
    }
    place();
  }

  // Places one after another; each has its lease before the next is looked for.
  void place() {
    while (const Decision decision = scene.run(PlaceWaiting{0, false})) {
      for (const Event& event : *decision) {
        const auto* placed = std::get_if<jobs::UnitPlaced>(&event);
        if (placed == nullptr) continue;
        const jobs::UnitKey key = placed->unit;
        ++running[project_of(key.job)];
        order.push_back(project_of(key.job));
        ASSERT_TRUE(scene.run(Reserve{key, 1}));
        ASSERT_TRUE(scene.run(Confirm{key, 1}));
      }
    }
  }

  void end(JobId id) {
    Progress progress;
    progress.key = {id, 0, 1};
    progress.state = AttemptState::ended;
    progress.end = AttemptEnd::exited;
    --running[project_of(id)];
    ASSERT_TRUE(scene.run(Report{progress}));
  }

  ProjectId project_of(JobId id) const { return scene.state.jobs().find(id)->spec->project; }

  Scene scene;
  const Moment opens = scene_start + hours(1);
  std::map<ProjectId, int> running;
  std::vector<ProjectId> order;
};

// The example of the paper, section 4.1: <1 CPU, 4 GB> three times beside <3 CPU, 1 GB> twice.
TEST(FairShare, EqualisesDominantSharesAsInThePaper) {
  Gate gate(1, 9, 18);
  const ProjectId a = gate.add_project("a", "one");
  const ProjectId b = gate.add_project("b", "two");
  for (int i = 0; i < 8; ++i) gate.put(a, 1, 4);
  for (int i = 0; i < 8; ++i) gate.put(b, 3, 1);
  gate.open();
  EXPECT_EQ(gate.running[a], 3);
  EXPECT_EQ(gate.running[b], 2);
}

TEST(FairShare, DoesNotGrowWithTheNumberOfJobsThatAreSubmitted) {
  Gate gate(4, 10, 100);
  const ProjectId many = gate.add_project("many", "one");
  const ProjectId few = gate.add_project("few", "two");
  for (int i = 0; i < 100; ++i) gate.put(many, 1, 1);
  for (int i = 0; i < 20; ++i) gate.put(few, 1, 1);
  gate.open();
  EXPECT_EQ(gate.running[many], 20);
  EXPECT_EQ(gate.running[few], 20);
}

TEST(FairShare, IsAmongOrganisationsBeforeItIsAmongTheirProjects) {
  Gate gate(1, 12, 100);
  const ProjectId alone = gate.add_project("alone", "one");
  const ProjectId left = gate.add_project("left", "two");
  const ProjectId right = gate.add_project("right", "two");
  for (int i = 0; i < 12; ++i) {
    gate.put(left, 1, 1);
    gate.put(right, 1, 1);
    gate.put(alone, 1, 1);
  }
  gate.open();
  EXPECT_EQ(gate.running[alone], 6);
  EXPECT_EQ(gate.running[left], 3);
  EXPECT_EQ(gate.running[right], 3);
}

TEST(FairShare, ComesAfterPriority) {
  Gate gate(1, 4, 100);
  const ProjectId urgent = gate.add_project("urgent", "one");
  const ProjectId other = gate.add_project("other", "two");
  for (int i = 0; i < 4; ++i) gate.put(other, 1, 1);
  for (int i = 0; i < 3; ++i) gate.put(urgent, 1, 1, Priority::high);
  gate.open();
  EXPECT_EQ(gate.running[urgent], 3);
  EXPECT_EQ(gate.running[other], 1);
}

TEST(FairShare, GivesEqualsTheirTurnByAge) {
  Gate gate(1, 1, 100);
  const ProjectId first = gate.add_project("first", "one");
  const ProjectId second = gate.add_project("second", "two");
  gate.put(second, 1, 1);
  gate.put(first, 1, 1);
  gate.open();
  EXPECT_EQ(gate.order, std::vector<ProjectId>{second});
}

TEST(FairShare, TellsHowManyProjectsComeFirst) {
  Gate gate(1, 2, 100);
  const ProjectId holds = gate.add_project("holds", "one");
  gate.put(holds, 1, 1);
  gate.put(holds, 1, 1);
  gate.open();
  const ProjectId fresh = gate.add_project("fresh", "two");
  const JobId behind = gate.put(holds, 1, 1);
  const JobId before = gate.put(fresh, 1, 1);
  const auto spec_of = [&](JobId id) { return *gate.scene.state.jobs().find(id)->spec; };
  EXPECT_EQ(projects_before(gate.scene.state, spec_of(behind)), 1U);
  EXPECT_EQ(projects_before(gate.scene.state, spec_of(before)), 0U);
}

// Equal tasks of several projects, which end and are followed by others: nobody is ever more than
// one task ahead of somebody who waits.
TEST(FairShare, HoldsWhileWorkComesAndGoes) {
  for_each_seed(
      [](Random& random) {
        Gate gate(1, 8, 100);
        std::vector<ProjectId> projects;
        for (int i = 0; i < 3; ++i) {
          const std::string name = "p" + std::to_string(i);
          projects.push_back(gate.add_project(name, "o" + name));
        }
        gate.open();
        for (int step = 0; step < 60; ++step) {
          for (const ProjectId project : projects) gate.put(project, 1, 1);
          gate.place();
          std::vector<JobId> live;
          for (const auto& [id, job] : gate.scene.state.jobs().all()) {
            if (job.units[0].phase == jobs::Phase::staging) live.push_back(id);
          }
          for (std::size_t n = random.below(4U); n > 0 && !live.empty(); --n) {
            const std::size_t which = random.below(live.size());
            const JobId ended = live[which];
            live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
            // Whoever is served next is one of those that hold the least.
            int least = INT32_MAX;
            gate.end(ended);
            for (const ProjectId each : projects) least = std::min(least, gate.running[each]);
            gate.order.clear();
            gate.place();
            ASSERT_EQ(gate.order.size(), 1U);
            EXPECT_EQ(gate.running[gate.order[0]], least + 1);
          }
        }
      },
      20);
}

}  // namespace
}  // namespace suan::domain
