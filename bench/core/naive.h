#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/spec.h"
#include "model/supply.h"

namespace suan::bench {

/// The same service as one would write it first, as a baseline: maps, a scan over all nodes for
/// each placement, a line of text as the record. It keeps money, requests and nodes, and nothing
/// that is for safety, for crashes or for people.
class NaiveDomain {
 public:
  /// Takes over the pools, each with all its nodes free.
  explicit NaiveDomain(const std::vector<Pool>&);

  /// The job made, or the one that the same request made before; 0 if it must wait.
  std::uint64_t submit(std::uint64_t request, const JobSpec&);
  void finish(std::uint64_t job, Span wall);

  std::size_t journal_bytes() const { return journal_.size(); }

 private:
  struct Node {
    std::string chip;
    std::int64_t card_milli = 0;
    std::int64_t cpu_milli = 0;
    Price price;
  };
  struct Job {
    JobSpec spec;
    std::size_t node = 0;
    Need need;
    Money held;
  };
  struct Place {
    std::size_t node = 0;
    Need need;
    Money hourly;
  };

  bool find(const JobSpec&, Place&) const;

  std::vector<Node> nodes_;
  std::map<std::uint64_t, Job> jobs_;
  std::map<std::uint64_t, std::uint64_t> requests_;
  std::map<std::uint64_t, Money> balances_;
  std::string journal_;
  std::uint64_t last_job_ = 0;
};

}  // namespace suan::bench
