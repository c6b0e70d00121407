#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// How Slurm writes lists of nodes and generic resources (slurm.conf(5), gres.conf(5)).
namespace suan::slurm {

/// What an expression may be at most; more is refused.
inline constexpr std::size_t hosts_max = 65'536;
inline constexpr std::size_t gres_max = 64;

/// The names of a host list, in its order: "n[1-3,07],login" is n1 n2 n3 n07 login. Empty for ""
/// and "(null)". `invalid` on anything else and beyond hosts_max.
Result<std::vector<std::string>> expand_hosts(std::string_view text);

/// So many of one generic resource.
struct Gres {
  std::string name;  // "gpu:fake910b", or "gpu" where it has no type.
  std::uint32_t count = 0;

  friend bool operator==(const Gres&, const Gres&) = default;
};

/// A list of generic resources: "gpu:a100:8(S:0-1),dcu:k100:4", "gres:gpu:fake910b:2",
/// "gpu:a100:2(IDX:0,3)", "gpu:8". A name without a number counts as one, "8K" as 8192. Empty for
/// "", "(null)" and "N/A". `invalid` on anything else and beyond gres_max.
Result<std::vector<Gres>> parse_gres(std::string_view text);

/// How many of `name` the list has; "gpu" counts every type of it.
std::uint32_t count_of(const std::vector<Gres>&, std::string_view name);

/// Of a list of settings ("cpu=2,mem=1000M,gres/gpu=2"), the value of one; "" if it has none.
std::string_view find_setting(std::string_view list, std::string_view name);

/// A size as Slurm prints it, in MiB: "1000", "1000M", "2G", "2.50G", "0"; at most a pebibyte. -1
/// if it is none.
std::int64_t parse_mebibytes(std::string_view text);

}  // namespace suan::slurm
