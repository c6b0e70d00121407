#pragma once

#include "http/service.h"

namespace suan::http {

/// Answers with a file of the console, or with 404.
void serve_asset(Exchange&);

}  // namespace suan::http
