#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/supply.h"

/// What identifiers (算力标识) name.
namespace suan::api {

/// A domain says which key the next one has.
struct DelegationView {
  std::string parent;  // An identifier.
  std::string child;   // A name.
  std::string key;     // Of the child: Ed25519, hexadecimal.
  Moment issued;

  static void fields(auto&& visit, auto& self) {
    visit(1, "parent", self.parent);
    visit(2, "child", self.child);
    visit(3, "key", self.key);
    visit(4, "issued", self.issued);
  }
};

/// Answers GET /v1/resolve.
struct NameView {
  std::string identifier;
  std::string kind;    // domain, site, pool.
  std::string domain;  // The identifier of the domain that has it and signed this.
  std::string key;     // Of that domain: Ed25519, hexadecimal.
  Moment issued;
  Span left;                          // It may be kept for so long (TTL).
  bool is_cached = false;             // By the domain that was asked.
  Site site{};                        // Of a site and of a pool.
  Pool pool{};                        // Of a pool.
  std::vector<DelegationView> chain;  // From a domain above the one that was asked to the signer.

  static void fields(auto&& visit, auto& self) {
    visit(1, "identifier", self.identifier);
    visit(2, "kind", self.kind, "domain, site or pool.");
    visit(3, "domain", self.domain, "That has it and signed this.");
    visit(4, "key", self.key, "Ed25519, hexadecimal.");
    visit(5, "issued", self.issued);
    visit(6, "left", self.left, "It may be kept for so long.");
    visit(7, "is_cached", self.is_cached, "By the domain that was asked.");
    visit(8, "site", self.site);
    visit(9, "pool", self.pool);
    visit(10, "chain", self.chain, "Whose word it is on which key that is.");
  }
};

}  // namespace suan::api
