#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "base/time.h"
#include "model/supply.h"

/// What an identifier resolves to. A record is signed by the domain that has what it names; each
/// domain above signs which key that of the next one is, so that who trusts the first key of the
/// chain trusts the record.
namespace suan::naming {

struct NameRecord {
  std::string identifier;  // In the standard codec.
  Digest key;              // Ed25519, of the domain that has it and signs.
  Site site;               // Of a site or a pool.
  Pool pool;               // Of a pool.
  Moment issued;
  Span lasts;  // It may be kept for so long (TTL).
  std::string signature;

  static void fields(auto&& visit, auto& self) {
    visit(1, "identifier", self.identifier);
    visit(2, "key", self.key);
    visit(3, "site", self.site);
    visit(4, "pool", self.pool);
    visit(5, "issued", self.issued);
    visit(6, "lasts", self.lasts);
    visit(7, "signature", self.signature);
  }
};

/// A domain says which key a sub-domain of it has.
struct Delegation {
  std::string parent;  // Its identifier.
  std::string child;   // The name of the sub-domain.
  Digest key;          // Of the sub-domain.
  Moment issued;
  std::string signature;  // By the key of the parent.

  static void fields(auto&& visit, auto& self) {
    visit(1, "parent", self.parent);
    visit(2, "child", self.child);
    visit(3, "key", self.key);
    visit(4, "issued", self.issued);
    visit(5, "signature", self.signature);
  }
};

struct NameAnswer {
  std::string problem;  // Why there is no record: one sentence; "" = there is one.
  NameRecord record;
  std::vector<Delegation> chain;  // From the first that the asker knows down to the signer.

  static void fields(auto&& visit, auto& self) {
    visit(1, "problem", self.problem);
    visit(2, "record", self.record);
    visit(3, "chain", self.chain);
  }
};

}  // namespace suan::naming
