#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What every refused request is answered with.
namespace suan::api {

/// One mistake among several in a request.
struct Mistake {
  std::string detail;
  std::string pointer;
  std::string suggestion;

  static void fields(auto&& visit, auto& self) {
    visit(1, "detail", self.detail);
    visit(2, "pointer", self.pointer);
    visit(3, "suggestion", self.suggestion);
  }
};

/// RFC 9457 problem details.
struct Problem {
  std::string type;  // "urn:suan:problem:credit_insufficient".
  std::string title;
  std::uint32_t status = 0;
  std::string code;                  // The refusal's name.
  std::string detail;                // What was wrong and what to do.
  std::string pointer;               // JSON pointer into the request body, or "".
  std::string suggestion;            // The nearest right value, or "".
  std::vector<Mistake> errors = {};  // All of them, where there can be several (RFC 9457 §3).

  static void fields(auto&& visit, auto& self) {
    visit(1, "type", self.type);
    visit(2, "title", self.title);
    visit(3, "status", self.status);
    visit(4, "code", self.code);
    visit(5, "detail", self.detail);
    visit(6, "pointer", self.pointer);
    visit(7, "suggestion", self.suggestion);
    visit(8, "errors", self.errors);
  }
};

}  // namespace suan::api
