#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "slurm/command_text.h"
#include "slurm/offer.h"
#include "slurm/rest_text.h"
#include "slurm/token.h"
#include "slurm/wrapper.h"

namespace {

using namespace suan::slurm;

void read_answers(std::string_view text) {
  static_cast<void>(choose_rest_version(text));
  if (const auto error = read_rest_error(text); error && *error)
    static_cast<void>(to_failure(**error));
  static_cast<void>(read_rest_partitions(text));
  for (const RestVersion version : {RestVersion::v36, RestVersion::v38})
    static_cast<void>(read_rest_nodes(text, version));
  static_cast<void>(read_rest_jobs(text));
  static_cast<void>(read_rest_job_id(text));
  static_cast<void>(read_rest_release(text));
  static_cast<void>(read_partition_lines(text));
  static_cast<void>(read_node_lines(text));
  static_cast<void>(read_job_lines(text));
  static_cast<void>(read_submitted_id(text));
  static_cast<void>(read_version_line(text));
  static_cast<void>(read_complaint(text));
  static_cast<void>(read_token_end(text));
}

void read_words(std::string_view text) {
  static_cast<void>(parse_started(text));
  static_cast<void>(parse_usage(text));
  static_cast<void>(parse_exit(text));
  if (const auto control = parse_control(text))
    suan::ensure(parse_control(print_control(*control)) == control);
  if (const auto pools = parse_nodes(text)) {
    const auto again = parse_nodes(print_nodes(*pools));
    suan::ensure(again.has_value() && print_nodes(*again) == print_nodes(*pools));
    static_cast<void>(recall_offer(*pools, {}));
  }
  if (const auto hosts = expand_hosts(text)) suan::ensure(hosts->size() <= hosts_max);
  if (const auto gres = parse_gres(text)) suan::ensure(gres->size() <= gres_max);
  suan::ensure(parse_mebibytes(text) >= -1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  read_answers(text);
  read_words(text);
  return 0;
}
