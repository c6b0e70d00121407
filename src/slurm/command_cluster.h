#pragma once

#include <memory>
#include <string>

#include "slurm/cluster.h"

namespace suan::slurm {

struct CommandOptions {
  std::string configuration;  // SLURM_CONF for the commands; "" = as this process has it.
  Span answer_timeout = seconds(60);
};

/// A cluster whose commands are installed on this machine: sbatch, squeue, scontrol, scancel,
/// sinfo. The jobs are those of the user of this process.
std::unique_ptr<Cluster> make_command_cluster(const CommandOptions&);

}  // namespace suan::slurm
