#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "catalogue/catalogue.h"
#include "identity/identity.h"
#include "runtime/follower.h"

namespace suan::http {

/// Who and which sites are known to the domain, as of the last durable record: what a request is
/// checked against before it goes to the core, which checks again.
class Acquaintance {
 public:
  void set(const domain::State&);
  std::shared_ptr<const identity::Identity> get() const;

  /// The sites by name and where they are: what a specification may say to be near to.
  using Sites = std::vector<Near>;
  std::shared_ptr<const Sites> sites() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const identity::Identity> identity_;
  std::shared_ptr<const Sites> sites_;
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
