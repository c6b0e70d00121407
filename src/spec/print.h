#pragma once

#include <string>

#include "spec/document.h"
#include "spec/read.h"

/// What was understood, as a specification again.
namespace suan::spec {

/// The document that read_job turns into exactly this job, with every default left out. A job that
/// did not come from read_job may hold what no document can say (a grace of its own, memory for
/// shm); that is left out as well.
SpecDocument print_document(const JobRequest&);

/// The same as JSON.
std::string print_spec(const JobRequest&);

}  // namespace suan::spec
