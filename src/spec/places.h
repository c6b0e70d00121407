#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "spec/read.h"

namespace suan::spec {

/// A name that says no place.
struct NoPlace {
  std::string text;
  std::string suggestion;  // The nearest name, or "".
};

/// Where something is: a site of the domain, else a city, else "latitude,longitude" in degrees.
std::expected<Near, NoPlace> find_place(std::string_view text, Sites);

}  // namespace suan::spec
