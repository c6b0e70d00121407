#include "member/presence.h"

namespace suan::member {

namespace {

template <class Id>
Presence find(const std::map<Id, Presence>& all, Id id) {
  const auto at = all.find(id);
  return at == all.end() ? Presence{} : at->second;
}

}  // namespace

void Presences::set(MemberId id, const Presence& presence) {
  const std::lock_guard lock(mutex_);
  members_[id] = presence;
}

void Presences::set(ParentId id, const Presence& presence) {
  const std::lock_guard lock(mutex_);
  parents_[id] = presence;
}

Presence Presences::of(MemberId id) const {
  const std::lock_guard lock(mutex_);
  return find(members_, id);
}

Presence Presences::of(ParentId id) const {
  const std::lock_guard lock(mutex_);
  return find(parents_, id);
}

}  // namespace suan::member
