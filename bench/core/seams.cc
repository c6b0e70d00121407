#include "seams.h"

#include <variant>

#include "journal/chain.h"

namespace suan::bench {

Result<journal::Head> FreeJournal::append(std::uint64_t, std::uint64_t,
                                          const journal::Batch& batch) {
  bytes_ += batch.encoded().size();
  if (chains_hashes) {
    head_ = journal::extend(head_, batch.encoded());
    return head_;
  }
  if (keeps_records) {
    const auto views = journal::read_batch(batch.encoded(), batch.size());
    ensure(views.has_value());
    for (const journal::RecordView& view : *views)
      records_.push_back({++head_.sequence, view.moment, std::string(view.bytes)});
  } else {
    head_.sequence += batch.size();
  }
  head_.moment = batch.last_moment();
  return head_;
}

Result<std::vector<journal::Record>> FreeJournal::follow(std::uint64_t, std::size_t) const {
  return failure(Failure::Kind::unsupported, "nobody reads a journal that is not there");
}

Result<std::string> FreeJournal::read_blob(std::uint64_t) const {
  return failure(Failure::Kind::not_found, "no blob was kept");
}

void Centre::on_effect(const domain::Effect& effect) {
  if (const auto* launch = std::get_if<domain::AskLaunch>(&effect)) {
    running.push_back(launch->launch.key);
    ++launched;
  } else if (const auto* stop = std::get_if<domain::AskStop>(&effect)) {
    stopping.push_back(stop->stop.key);
  }
}

void Centre::on_durable(std::shared_ptr<const runtime::DurableBatch> batch) {
  for (const runtime::DurableRecord& record : batch->records) events += record.events.size();
}

}  // namespace suan::bench
