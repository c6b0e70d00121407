#include "http/acquaintance.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace suan::http {

void Acquaintance::set(const domain::State& state) {
  auto identity = std::make_shared<const identity::Identity>(state.identity());
  auto sites = std::make_shared<Sites>();
  sites->reserve(state.catalogue().sites().size());
  for (const auto& [id, site] : state.catalogue().sites())
    sites->push_back({site.name, site.latitude_micro, site.longitude_micro});
  const std::lock_guard lock(mutex_);
  identity_ = std::move(identity);
  sites_ = std::move(sites);
}

std::shared_ptr<const identity::Identity> Acquaintance::get() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

std::shared_ptr<const Acquaintance::Sites> Acquaintance::sites() const {
  const std::lock_guard lock(mutex_);
  return sites_;
}

void AcquaintanceKeeper::on_record(const runtime::DurableRecord& record,
                                   const runtime::View& view) {
  const bool is_about_them = std::ranges::any_of(record.events, [](const domain::Event& event) {
    return std::holds_alternative<identity::OrganisationCreated>(event) ||
           std::holds_alternative<identity::UserCreated>(event) ||
           std::holds_alternative<identity::ProjectCreated>(event) ||
           std::holds_alternative<identity::SeatTaken>(event) ||
           std::holds_alternative<identity::KeyCreated>(event) ||
           std::holds_alternative<identity::KeyRevoked>(event) ||
           std::holds_alternative<catalogue::SiteDescribed>(event);
  });
  if (is_about_them) acquaintance_.set(view.state);
}

}  // namespace suan::http
