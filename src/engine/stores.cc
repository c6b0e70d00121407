#include "engine/stores.h"

#include <algorithm>
#include <cstdlib>

#include "engine/file.h"
#include "engine/programs.h"
#include "model/place.h"
#include "wire/json_tree.h"

namespace suan::engine {
namespace {

constexpr std::size_t dump_bytes_max = 1 << 20U;

}  // namespace

Result<std::vector<Store>> parse_stores(std::string_view json) {
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(json));
  if (!tree.root().is(wire::JsonKind::object))
    return failure(Failure::Kind::invalid, "it is no configuration of rclone");
  std::vector<Store> stores;
  for (const wire::JsonValue section : tree.root()) {
    Store store{.name = std::string(section.name()), .is_public = false};
    if (!is_store_name(store.name))
      return failure(
          Failure::Kind::invalid,
          "a store is called by letters, digits, dots, dashes and underscores; there is " +
              wire::quote(store.name));
    if (section.is(wire::JsonKind::object)) {
      auto from = section.begin();
      const auto access = section.find("suan_access", from);
      store.is_public = access && access->text() == "public";
      if (access && access->text() != "public" && access->text() != "projects")
        return failure(Failure::Kind::invalid, "suan_access of " + store.name +
                                                   " is public or projects, not " +
                                                   wire::quote(access->text()));
    }
    stores.push_back(std::move(store));
  }
  std::ranges::sort(stores, {}, &Store::name);
  return stores;
}

Result<StoreHouse> open_stores(const std::string& configuration) {
  StoreHouse house;
  house.program = find_program("rclone");
  if (configuration.empty()) return house;
  if (house.program.empty())
    return failure(Failure::Kind::not_found, "there is no rclone to read it with; install rclone",
                   configuration);
  char* absolute = ::realpath(configuration.c_str(), nullptr);
  if (absolute == nullptr) return system_failure("cannot find the file of stores", configuration);
  house.configuration = absolute;
  ::free(absolute);
  auto said = ask_program({house.program, "config", "dump", "--config", house.configuration},
                          dump_bytes_max);
  auto stores = said ? parse_stores(*said) : std::unexpected(said.error());
  if (!stores)
    return failure(Failure::Kind::invalid, "rclone cannot read the stores: " + stores.error().text,
                   configuration);
  house.stores = *std::move(stores);
  return house;
}

std::string describe_stores(const StoreHouse& house) {
  if (house.program.empty())
    return "Inputs and outputs are refused: there is no rclone; install rclone.";
  if (house.stores.empty())
    return "Inputs are fetched from URLs by " + house.program +
           "; there are no stores for outputs (--stores FILE).";
  std::string names;
  for (const Store& each : house.stores)
    names += (names.empty() ? "" : ", ") + each.name + (each.is_public ? " (public)" : "");
  return "Data is moved by " + house.program + "; stores: " + names + ".";
}

Result<std::string> find_place(const StoreHouse& house, const Origin& origin,
                               std::string_view place, bool is_written) {
  const std::size_t colon = place.find(':');
  const std::string name(place.substr(0, colon));
  const auto store = std::ranges::find(house.stores, name, &Store::name);
  if (colon == std::string_view::npos || store == house.stores.end())
    return failure(Failure::Kind::invalid, "there is no store called " + wire::quote(name) +
                                               " here. " + describe_stores(house));
  const std::string_view path = place.substr(colon + 1);
  if (!is_plain_path(path))
    return failure(Failure::Kind::invalid,
                   "there is no such place in a store: " + wire::quote(place));
  if (store->is_public && is_written)
    return failure(Failure::Kind::invalid, "the store " + name + " is public and only read");
  if (store->is_public) return std::string(place);
  if (!is_plain_path(origin.owner) || origin.owner.find('/') != std::string::npos)
    return failure(Failure::Kind::invalid,
                   "the domain that sent the job does not say whose data it is");
  return name + ":" + origin.owner + "/" + std::string(path);
}

std::string find_data_fault(const StoreHouse& house, const Launch& launch, const Payload& payload) {
  if (launch.workdir.is_given() &&
      (house.uploads.empty() || launch.upload.find('/') != std::string::npos))
    return "working directories cannot be brought here";
  if (!payload.moves_data()) return {};
  if (house.program.empty()) return describe_stores(house);
  for (const Input& each : payload.inputs) {
    if (is_url(each.source)) continue;
    const auto place = find_place(house, launch.origin, each.source, false);
    if (!place) return "inputs of " + each.path + ": " + place.error().text;
  }
  for (const Output& each : payload.outputs) {
    const auto place = find_place(house, launch.origin, each.to, true);
    if (!place) return "outputs of " + each.path + ": " + place.error().text;
  }
  return {};
}

std::vector<std::string> names_of(const StoreHouse& house) {
  std::vector<std::string> names;
  for (const Store& each : house.stores) names.push_back(each.name);
  return names;
}

}  // namespace suan::engine
