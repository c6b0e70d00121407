#pragma once

#include <string>
#include <vector>

#include "base/callback.h"
#include "model/attempt.h"
#include "spec/document.h"

/// inputs and outputs of run.yaml.
namespace suan::spec {

/// Reads both into the payload; what is wrong is noted with its pointer.
void read_data(const SpecDocument&, Payload&,
               Callback<void(std::string pointer, std::string text)> mistake);

/// The stores that the inputs and outputs name, ascending, each once.
std::vector<std::string> stores_of(const Payload&);

}  // namespace suan::spec
