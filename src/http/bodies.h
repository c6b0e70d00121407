#pragma once

#include <string>
#include <vector>

#include "base/money.h"

/// The bodies of requests that are not specifications.
namespace suan::http {

struct NewProject {
  std::string name;
  std::string organisation;  // "" = the caller's.

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name, "1 to 63 of a-z, 0-9, '-', '_' and '.'.");
    visit(2, "organisation", self.organisation, "Empty: that of the caller.");
  }
};

struct NewDeposit {
  Money amount;
  std::string text;

  static void fields(auto&& visit, auto& self) {
    visit(1, "amount", self.amount, "CNY, more than 0.");
    visit(2, "text", self.text, "For the statement; at most 200 bytes.");
  }
};

struct NewKey {
  std::string user;
  std::string organisation;
  std::string role;
  std::vector<std::string> projects;
  std::string label;

  static void fields(auto&& visit, auto& self) {
    visit(1, "user", self.user, "A handle; made if there is no such user.");
    visit(2, "organisation", self.organisation, "Of a new user; empty: that of the caller.");
    visit(3, "role", self.role, "consumer, provider, operator or auditor.");
    visit(4, "projects", self.projects, "Projects that the user gets a seat in.");
    visit(5, "label", self.label, "What the key is for.");
  }
};

struct NewJoinToken {
  std::string label;
  std::string lasts;

  static void fields(auto&& visit, auto& self) {
    visit(1, "label", self.label, "What the token is for; at most 200 bytes.");
    visit(2, "lasts", self.lasts, "A span such as 90m or 7d, 1m to 30d; empty: 24h.");
  }
};

}  // namespace suan::http
