#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// The models of accelerators and the national hubs that this program knows: data/*.csv, compiled
/// in.
namespace suan::catalogue {

/// One accelerator package. Peak figures are dense; 0 = unknown. FLOPS always come with precision.
struct ChipModel {
  std::string_view id;  // "Ascend910B3".
  std::string_view vendor;
  std::int64_t fp16_gflops_dense = 0;  // FP16 or BF16.
  std::int64_t fp32_gflops = 0;
  std::int64_t fp64_gflops = 0;
  std::int64_t memory_gb = 0;
  std::int64_t memory_gb_per_s = 0;
  std::int64_t tdp_w = 0;
  std::string_view stack;       // The vendor's software: CUDA, CANN, DTK …
  std::string_view confidence;  // A, B or C: see data/README.md.
};

/// In the order of the file. Any thread; lives as long as the program.
std::span<const ChipModel> chips();

/// A chip by its exact id, or null.
const ChipModel* find_chip(std::string_view id);

/// A cluster of a national hub (国家枢纽节点).
struct Hub {
  std::string_view hub;
  std::string_view cluster;
  std::string_view city;
  std::int32_t latitude_micro = 0;
  std::int32_t longitude_micro = 0;
};

std::span<const Hub> hubs();

/// The cluster in a city, or null.
const Hub* find_hub(std::string_view city);

}  // namespace suan::catalogue
