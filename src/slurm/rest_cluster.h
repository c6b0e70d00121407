#pragma once

#include <memory>
#include <string>

#include "slurm/cluster.h"
#include "slurm/rest_text.h"
#include "slurm/token.h"

namespace suan::slurm {

struct RestOptions {
  std::string place;  // "http://host:port" or "unix:/path".
  TokenSource token{};
  Span answer_timeout = seconds(60);
  RestVersion newest = RestVersion::v38;  // Newer ones are left aside.
};

/// A cluster behind slurmrestd. It finds out which version of the API the server has.
std::unique_ptr<Cluster> make_rest_cluster(const RestOptions&);

}  // namespace suan::slurm
