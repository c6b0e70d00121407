#pragma once

#include <cstdint>
#include <string>

#include "base/money.h"
#include "model/hourly.h"
#include "model/ids.h"
#include "model/spec.h"

/// What a domain offers: sites and the pools of capacity in them.
namespace suan {

/// Service states after GLUE 2: `draining` finishes what it has and takes nothing new.
enum class ServingState : std::uint8_t { production, draining, closed };

/// A compute centre (算力中心).
struct Site {
  SiteId id;
  std::string name;  // [a-z0-9-]{1,63}, unique in the domain.
  std::string city;
  std::string region;               // ISO 3166-2, lower case: "cn-sh".
  std::int32_t latitude_micro = 0;  // Millionths of a degree, WGS 84.
  std::int32_t longitude_micro = 0;
  std::uint32_t pue_milli = 0;  // Power usage effectiveness × 1000 (ISO/IEC 30134-2); 0 = unknown.
  std::uint32_t carbon_g_per_kwh = 0;  // Of the grid; 0 = unknown.
  bool is_draining = false;            // Its operator lets it finish what it has.
  Hourly carbon_hours{};               // The same by the hour, in place of carbon_g_per_kwh.

  friend bool operator==(const Site&, const Site&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "city", self.city);
    visit(4, "region", self.region);
    visit(5, "latitude_micro", self.latitude_micro);
    visit(6, "longitude_micro", self.longitude_micro);
    visit(7, "pue_milli", self.pue_milli);
    visit(8, "carbon_g_per_kwh", self.carbon_g_per_kwh);
    visit(9, "is_draining", self.is_draining);
    visit(10, "carbon_hours", self.carbon_hours);
  }
};

/// What capacity costs for an hour. A task costs cards × card_hour + cores × core_hour.
struct Price {
  Money card_hour;
  Money core_hour;

  friend bool operator==(const Price&, const Price&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "card_hour", self.card_hour);
    visit(2, "core_hour", self.core_hour);
  }
};

/// Capacity of one kind in one site (资源池): `nodes` equal nodes.
struct Pool {
  PoolId id;
  SiteId site;
  MemberId member;   // Who grants and runs it.
  std::string name;  // Unique within its site.
  std::string chip;  // Chip model; "" = no accelerators.
  std::uint32_t nodes = 0;
  std::uint32_t cards_per_node = 0;  // At most 64.
  std::int64_t cpu_milli_per_node = 0;
  std::int64_t memory_bytes_per_node = 0;
  std::int64_t disk_bytes_per_node = 0;  // 0 = unknown.
  NetworkTier network_tier = NetworkTier::standard;
  Price price;          // The list price.
  bool is_firm = true;  // A lease holds the capacity; else it is a place in a queue.
  ServingState state = ServingState::production;
  PoolId remote{};           // How a sub-domain that grants it numbers it; 0 = granted here.
  bool runs_images = false;  // Runs work inside images (Payload::image).
  bool moves_data = false;   // Brings inputs and keeps outputs (Payload::inputs, outputs).
  std::vector<std::string> stores{};  // That these may name, ascending.
  Hourly rates{};  // What is charged in each hour, in thousandths of the price; none = the price.
  std::uint32_t spot_milli =
      0;  // What spot work pays, in thousandths of it all; 0 = none is taken.

  friend bool operator==(const Pool&, const Pool&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "site", self.site);
    visit(3, "member", self.member);
    visit(4, "name", self.name);
    visit(5, "chip", self.chip);
    visit(6, "nodes", self.nodes);
    visit(7, "cards_per_node", self.cards_per_node);
    visit(8, "cpu_milli_per_node", self.cpu_milli_per_node);
    visit(9, "memory_bytes_per_node", self.memory_bytes_per_node);
    visit(10, "disk_bytes_per_node", self.disk_bytes_per_node);
    visit(11, "network_tier", self.network_tier);
    visit(12, "price", self.price);
    visit(13, "is_firm", self.is_firm);
    visit(14, "state", self.state);
    visit(15, "remote", self.remote);
    visit(16, "runs_images", self.runs_images);
    visit(17, "moves_data", self.moves_data);
    visit(18, "stores", self.stores);
    visit(19, "rates", self.rates);
    visit(20, "spot_milli", self.spot_milli);
  }
};

/// What one task takes from one node.
struct Need {
  std::int64_t card_milli =
      0;  // Whole cards are multiples of 1000; below 1000 a share of one card.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  friend bool operator==(const Need&, const Need&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "card_milli", self.card_milli);
    visit(2, "cpu_milli", self.cpu_milli);
    visit(3, "memory_bytes", self.memory_bytes);
  }
};

/// What spot work pays of a price: so many thousandths of it.
inline Price part_of(const Price& price, std::uint32_t spot_milli) {
  return {scale(price.card_hour, spot_milli, 1000), scale(price.core_hour, spot_milli, 1000)};
}

/// What work pays in a pool by the list price, as spot or not.
inline Price price_in(const Pool& pool, bool is_spot) {
  return is_spot ? part_of(pool.price, pool.spot_milli) : pool.price;
}

/// The hourly price of one task with this need, in this pool. Rounded once.
inline Money hourly_price(const Price& price, const Need& need) {
  return scale(price.card_hour, need.card_milli, 1000) +
         scale(price.core_hour, need.cpu_milli, 1000);
}

}  // namespace suan
