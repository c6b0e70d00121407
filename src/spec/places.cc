#include "spec/places.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "network/cities.h"

namespace suan::spec {

namespace {

constexpr std::size_t place_size_max = 63;

bool is_located(const Near& site) {
  return site.latitude_micro != 0 || site.longitude_micro != 0;
}

std::string nearest_place(std::string_view text, Sites sites) {
  std::vector<std::string_view> names;
  for (const Near& site : sites) names.push_back(site.name);
  for (const network::City& city : network::cities()) {
    names.push_back(city.name);
    names.push_back(city.chinese);
  }
  return std::string(nearest(text, names));
}

}  // namespace

std::expected<Near, NoPlace> find_place(std::string_view text, Sites sites) {
  if (text.empty() || text.size() > place_size_max)
    return std::unexpected(
        NoPlace{"expected a city, a site or latitude,longitude of at most 63 bytes", {}});
  const auto site = std::ranges::find(sites, text, &Near::name);
  if (site != sites.end() && is_located(*site)) return *site;
  if (const network::City* city = network::find_city(text))
    return Near{std::string(text), city->latitude_micro, city->longitude_micro};
  if (auto coordinates = network::parse_coordinates(text)) return *std::move(coordinates);
  const std::string quoted = wire::quote(text);
  if (site != sites.end())
    return std::unexpected(
        NoPlace{"nobody has said where the site " + quoted + " is: name a city", {}});
  std::string suggestion = nearest_place(text, sites);
  std::string why = quoted + " is no city or site that is known here, nor latitude,longitude";
  if (!suggestion.empty()) why += ", did you mean " + wire::quote(suggestion) + "?";
  return std::unexpected(NoPlace{std::move(why), std::move(suggestion)});
}

}  // namespace suan::spec
