#include "http/acquaintance.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace suan::http {

void Acquaintance::set(std::shared_ptr<const identity::Identity> identity) {
  const std::lock_guard lock(mutex_);
  identity_ = std::move(identity);
}

std::shared_ptr<const identity::Identity> Acquaintance::get() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

void AcquaintanceKeeper::on_record(const runtime::DurableRecord& record,
                                   const runtime::View& view) {
  const bool is_about_people = std::ranges::any_of(record.events, [](const domain::Event& event) {
    return std::holds_alternative<identity::OrganisationCreated>(event) ||
           std::holds_alternative<identity::UserCreated>(event) ||
           std::holds_alternative<identity::ProjectCreated>(event) ||
           std::holds_alternative<identity::SeatTaken>(event) ||
           std::holds_alternative<identity::KeyCreated>(event) ||
           std::holds_alternative<identity::KeyRevoked>(event);
  });
  if (is_about_people)
    acquaintance_.set(std::make_shared<const identity::Identity>(view.state.identity()));
}

}  // namespace suan::http
