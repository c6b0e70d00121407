#pragma once

#include <memory>

#include "packing/policy.h"

/// Policies that others have published, for comparison. Scores are whole numbers from 0 to 100, as
/// theirs are; how each breaks ties is the order of the nodes. What they leave open is as in the
/// simulator of FGD (Weng et al., USENIX ATC 2023,
/// github.com/hkust-adsl/kubernetes-scheduler-simulator).
namespace suan::packing {

/// A node by chance, and for a share a card by chance.
std::unique_ptr<Policy> make_random(std::uint64_t seed);

/// The least left over: half cores, half cards, each as a part of the largest node's.
std::unique_ptr<Policy> make_best_fit();

/// The smallest product of what is free and what is asked (Tetris; Grandl et al., SIGCOMM 2014).
std::unique_ptr<Policy> make_dot_product();

/// Cards that are shared already, then free cards of nodes in use, then idle nodes (MLaaS in the
/// wild; Weng et al., NSDI 2022).
std::unique_ptr<Policy> make_card_packing();

/// Fragmentation gradient descent: the node whose fragmentation grows least, measured by the tasks
/// that make up 95 % of `mix`.
std::unique_ptr<Policy> make_fragmentation_gradient(const Mix& mix);

}  // namespace suan::packing
