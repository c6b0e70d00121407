#include "hindsight.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <tuple>
#include <utility>

#include <coin/ClpSimplex.hpp>
#include <coin/ClpSolve.hpp>

#include "base/ensure.h"

namespace suan::bench {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t late_hours_max = 24;

std::size_t index(std::int64_t number) {
  ensure(number >= 0);
  return static_cast<std::size_t>(number);
}

// The sum of a series over the hours that a job runs.
double sum_over(const std::vector<double>& series, std::int64_t start, int hours) {
  double sum = 0;
  for (std::int64_t hour = start; hour < start + hours; ++hour)
    sum += series[std::min(index(hour), series.size() - 1)];
  return sum;
}

double energy_usd(const Plant& plant, std::size_t zone, std::int64_t start, int hours) {
  const double kw = plant.node_kw * plant.pue;
  return sum_over(plant.zones.zones[zone].usd_per_mwh, start, hours) * kw / 1000;
}

double carbon_g(const Plant& plant, std::size_t zone, std::int64_t start, int hours) {
  const double kw = plant.node_kw * plant.pue;
  return sum_over(plant.zones.zones[zone].g_per_kwh, start, hours) * kw;
}

double egress_usd(const Plant& plant, const Job& job, std::size_t zone) {
  return job.gigabytes * plant.zones.egress_usd_per_gb[index(job.zone)][zone];
}

}  // namespace

bool may_run(const Zones& zones, const Job& job, std::size_t zone) {
  if (index(job.zone) == zone || job.rtt_max_ms == 0) return true;
  const double rtt_ms = zones.rtt_ms[index(job.zone)][zone];
  return rtt_ms >= 0 && rtt_ms <= job.rtt_max_ms;
}

Bill bill_of(const Plant& plant, std::span<const Job> jobs, std::span<const Start> starts) {
  ensure(jobs.size() == starts.size());
  Bill bill;
  std::map<std::pair<int, std::int64_t>, int> busy;
  double completion_hours = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = jobs[i];
    const Start& start = starts[i];
    const std::size_t zone = index(start.zone);
    ensure(start.hour >= job.arrival && zone < plant.zones.zones.size());
    bill.energy_usd += energy_usd(plant, zone, start.hour, job.hours);
    bill.egress_usd += egress_usd(plant, job, zone);
    bill.carbon_g += carbon_g(plant, zone, start.hour, job.hours);
    bill.late += start.hour > job.arrival + job.slack ? 1 : 0;
    bill.out_of_reach += may_run(plant.zones, job, zone) ? 0 : 1;
    completion_hours += static_cast<double>(start.hour - job.arrival + job.hours);
    for (std::int64_t hour = start.hour; hour < start.hour + job.hours; ++hour)
      bill.node_hours_over += ++busy[{start.zone, hour}] > plant.nodes ? 1 : 0;
  }
  if (!jobs.empty()) bill.completion_hours = completion_hours / static_cast<double>(jobs.size());
  return bill;
}

std::vector<Start> start_at_origin(const Plant& plant, std::span<const Job> jobs) {
  ensure(plant.nodes > 0 && std::ranges::is_sorted(jobs, {}, &Job::arrival));
  // When each node of a zone is free again.
  using Nodes = std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>>;
  std::vector<Nodes> zones(plant.zones.zones.size());
  for (Nodes& nodes : zones) {
    for (int i = 0; i < plant.nodes; ++i) nodes.push(0);
  }
  std::vector<Start> starts;
  for (const Job& job : jobs) {
    Nodes& nodes = zones[index(job.zone)];
    const std::int64_t start = std::max(job.arrival, nodes.top());
    nodes.pop();
    nodes.push(start + job.hours);
    starts.push_back({job.zone, start});
  }
  return starts;
}

namespace {

/// What jobs must have in common to be one in the program, with their number as its demand: the
/// optimum is the same.
struct Shape {
  std::int64_t arrival = 0;
  int hours = 0;
  int slack = 0;
  std::array<double, zone_count> moving;  // What it costs to be in a zone; infinite: it may not.

  friend bool operator<(const Shape& a, const Shape& b) {
    return std::tie(a.arrival, a.hours, a.slack, a.moving) <
           std::tie(b.arrival, b.hours, b.slack, b.moving);
  }
};

Shape shape_of(const Plant& plant, const Job& job, Aim aim) {
  Shape shape{job.arrival, job.hours, job.slack, {}};
  shape.moving.fill(infinity);
  for (std::size_t zone = 0; zone < plant.zones.zones.size(); ++zone) {
    if (!may_run(plant.zones, job, zone)) continue;
    shape.moving[zone] = aim == Aim::usd ? egress_usd(plant, job, zone) : 0;
  }
  return shape;
}

/// The program, column by column as Clp reads it. First come the rows of the shapes, then for each
/// zone those of its hours.
class Program {
 public:
  Program(const Plant& plant, std::span<const Job> jobs, Aim aim);

  Hindsight solve();

 private:
  void add_columns(const Shape&, int row);
  double cost(const Shape&, std::size_t zone, std::int64_t start) const;

  const Plant& plant_;
  Aim aim_;
  std::map<Shape, int> demand_;  // Jobs of each shape.
  std::int64_t first_hour_ = 0;
  std::int64_t hours_ = 0;
  std::vector<CoinBigIndex> begins_{0};
  std::vector<int> rows_;
  std::vector<double> costs_;
  std::vector<double> late_costs_;  // One a shape, without the penalty.
};

Program::Program(const Plant& plant, std::span<const Job> jobs, Aim aim)
    : plant_(plant), aim_(aim) {
  for (const Job& job : jobs) ++demand_[shape_of(plant, job, aim)];
  if (demand_.empty()) return;
  first_hour_ = demand_.begin()->first.arrival;
  for (const auto& [shape, count] : demand_)
    hours_ = std::max(hours_, shape.arrival + shape.slack + shape.hours - first_hour_);
  int row = 0;
  for (const auto& [shape, count] : demand_) add_columns(shape, row++);
}

double Program::cost(const Shape& shape, std::size_t zone, std::int64_t start) const {
  // Grams would put the program's numbers six orders of magnitude apart.
  return shape.moving[zone] + (aim_ == Aim::usd
                                   ? energy_usd(plant_, zone, start, shape.hours)
                                   : carbon_g(plant_, zone, start, shape.hours) / 1000);
}

void Program::add_columns(const Shape& shape, int row) {
  const std::int64_t latest = shape.arrival + shape.slack;
  double cheapest = infinity;
  for (std::size_t zone = 0; zone < plant_.zones.zones.size(); ++zone) {
    if (shape.moving[zone] == infinity) continue;
    const std::int64_t first_row = std::ssize(demand_) + static_cast<std::int64_t>(zone) * hours_;
    for (std::int64_t start = shape.arrival; start <= latest + late_hours_max; ++start) {
      const double usd_or_kg = cost(shape, zone, start);
      cheapest = std::min(cheapest, usd_or_kg);
      if (start > latest) continue;
      rows_.push_back(row);
      for (std::int64_t hour = start - first_hour_; hour < start - first_hour_ + shape.hours;
           ++hour)
        rows_.push_back(static_cast<int>(first_row + hour));
      begins_.push_back(static_cast<CoinBigIndex>(rows_.size()));
      costs_.push_back(usd_or_kg);
    }
  }
  late_costs_.push_back(cheapest);
}

Hindsight Program::solve() {
  Hindsight found;
  found.is_optimal = demand_.empty();
  if (demand_.empty()) return found;
  const std::size_t in_time = costs_.size();
  const double penalty = 10 * (1 + std::ranges::max(costs_));
  for (std::size_t i = 0; i < late_costs_.size(); ++i) {
    rows_.push_back(static_cast<int>(i));
    begins_.push_back(static_cast<CoinBigIndex>(rows_.size()));
    costs_.push_back(late_costs_[i] + penalty);
  }
  std::vector<double> lower;
  std::vector<double> upper;
  for (const auto& [shape, count] : demand_) lower.push_back(count);
  upper = lower;
  const std::size_t capacity_rows = plant_.zones.zones.size() * index(hours_);
  lower.insert(lower.end(), capacity_rows, 0);
  upper.insert(upper.end(), capacity_rows, plant_.nodes);
  const std::vector<double> ones(rows_.size(), 1);
  ClpSimplex model;
  model.setLogLevel(0);
  model.loadProblem(static_cast<int>(costs_.size()), static_cast<int>(lower.size()), begins_.data(),
                    rows_.data(), ones.data(), nullptr, nullptr, costs_.data(), lower.data(),
                    upper.data());
  ClpSolve how;
  // Many columns emit the same, and the dual method loses its time among them: 66 s against 14 s
  // for a week at nine tenths of load. For money it is the faster one.
  how.setSolveType(aim_ == Aim::usd ? ClpSolve::useDual : ClpSolve::usePrimal);
  model.initialSolve(how);
  found.is_optimal = model.isProvenOptimal();
  found.columns = costs_.size();
  found.rows = lower.size();
  const double* shares = model.primalColumnSolution();
  for (std::size_t i = in_time; i < costs_.size(); ++i) found.late += shares[i];
  found.value = (model.objectiveValue() - penalty * found.late) * (aim_ == Aim::usd ? 1 : 1000);
  return found;
}

}  // namespace

Hindsight solve_hindsight(const Plant& plant, std::span<const Job> jobs, Aim aim) {
  ensure(plant.nodes > 0);
  return Program(plant, jobs, aim).solve();
}

}  // namespace suan::bench
