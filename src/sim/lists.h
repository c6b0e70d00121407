#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "packing/room.h"

/// Lists of nodes and tasks of real clusters, as CSV with a header; columns may be in any order,
/// and those that are not named here are passed over. The form is that of openb (Alibaba
/// cluster-trace-gpu-v2023).
namespace suan::sim {

/// What a card of a node costs and draws while somebody holds it.
struct CardTerms {
  Money hourly;
  std::int64_t watts = 0;

  friend auto operator<=>(const CardTerms&, const CardTerms&) = default;
};

/// A cluster, all of it free.
struct NodeList {
  std::vector<std::string> chips;  // Models of cards; a NodeKind names one by its index.
  std::vector<packing::NodeKind> kinds;
  std::vector<CardTerms> terms;          // Of each kind: two may differ by nothing else.
  std::vector<packing::NodeRoom> rooms;  // In the order of the list.
  std::int64_t card_milli = 0;           // Of all nodes.
};

/// Reads `cpu_milli`, `memory_mib`, `gpu` (cards of the node), `model` (of the cards; may be
/// empty) and, if they are there, `price` (CNY for a card and an hour) and `watts` (of a card). At
/// most 1,000,000 nodes with at most 64 cards each, of at most 64 models. `invalid` names the line
/// and the column.
Result<NodeList> parse_nodes(std::string_view csv);

/// Reads `name`, `cpu_milli`, `memory_mib`, `num_gpu`, `gpu_milli` (of each card; below 1000 only
/// with one card) and, if it is there, `gpu_spec` (models that will do, with '|' between them;
/// empty: any). In order of name. At most 10,000,000 tasks.
Result<std::vector<packing::Ask>> parse_tasks(std::string_view csv, const NodeList&);

/// A task, and the times it had.
struct TimedTask {
  std::size_t number = 0;  // In the list, from 0.
  packing::Ask ask;
  Span comes;
  Span lasts;
};

/// The same lists with `creation_time`, `deletion_time` and, if it is there and not empty,
/// `scheduled_time`, from which on a task ran (else from its creation), in whole seconds. In the
/// order in which they came.
Result<std::vector<TimedTask>> parse_timed_tasks(std::string_view csv, const NodeList&);

}  // namespace suan::sim
