#pragma once

#include <memory>
#include <mutex>

#include "identity/identity.h"
#include "runtime/follower.h"

namespace suan::http {

/// Who is known to the domain, as of the last durable record: what a request is checked against
/// before it goes to the core, which checks again.
class Acquaintance {
 public:
  void set(std::shared_ptr<const identity::Identity>);
  std::shared_ptr<const identity::Identity> get() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const identity::Identity> identity_;
};

/// Keeps an Acquaintance fresh from the read side.
class AcquaintanceKeeper : public runtime::Watcher {
 public:
  explicit AcquaintanceKeeper(Acquaintance& acquaintance) : acquaintance_(acquaintance) {}
  void on_record(const runtime::DurableRecord&, const runtime::View&) override;

 private:
  Acquaintance& acquaintance_;
};

}  // namespace suan::http
