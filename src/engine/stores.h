#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/attempt.h"

/// Where an engine gets inputs from and keeps outputs: stores are remotes of rclone, described by
/// whoever runs the site.
namespace suan::engine {

struct Store {
  std::string name;
  bool is_public = false;  // Everybody may read all of it, and nobody writes to it.

  friend bool operator==(const Store&, const Store&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name);
    visit(2, "is_public", self.is_public);
  }
};

/// How an engine moves data.
struct StoreHouse {
  std::string program;        // Path of rclone; "" = nothing is moved.
  std::string configuration;  // Of rclone; "" = there are no stores.
  std::vector<Store> stores;  // Ascending by name.
  std::string uploads{};      // Where packed working directories lie; "" = nowhere.
  std::string speeds{};       // Where it is noted how quickly data came; "" = nowhere.

  static void fields(auto&& visit, auto& self) {
    visit(1, "program", self.program);
    visit(2, "configuration", self.configuration);
    visit(3, "stores", self.stores);
    visit(4, "uploads", self.uploads);
    visit(5, "speeds", self.speeds);
  }
};

/// The stores in what `rclone config dump` says. A section with `suan_access = public` is public.
/// `invalid` if it is something else, or a store cannot be called so.
Result<std::vector<Store>> parse_stores(std::string_view json);

/// Looks for rclone and reads its configuration, "" for none. A configuration that cannot be read
/// is a failure; a machine without rclone is not, unless there is a configuration.
Result<StoreHouse> open_stores(const std::string& configuration);

/// A sentence for people.
std::string describe_stores(const StoreHouse&);

/// "STORE:path" as rclone is to find it: every owner has a directory of its own in a store, a
/// public one has none. `invalid` with a sentence for people: a store that is not there, one that
/// is only read and shall be written, a path that leaves the directory.
Result<std::string> find_place(const StoreHouse&, const Origin&, std::string_view place,
                               bool is_written);

/// Why this cannot be moved here; "" if nothing is known against it.
std::string find_data_fault(const StoreHouse&, const Launch&, const Payload&);

/// The names of the stores, ascending.
std::vector<std::string> names_of(const StoreHouse&);

}  // namespace suan::engine
