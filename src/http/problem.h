#pragma once

#include <string>
#include <string_view>

#include "domain/refusal.h"
#include "net/http_message.h"
#include "spec/read.h"

/// Errors as RFC 9457 problem documents.
namespace suan::http {

/// The HTTP status of a refusal.
int status_of(domain::Code);

net::Response problem(const domain::Refusal&);

/// One that the edge finds itself; `code` is a short machine word.
net::Response problem(int status, std::string_view code, std::string_view detail,
                      std::string_view pointer = {}, std::string_view suggestion = {});

/// All mistakes of a specification: the first in the members of the document, all of them in
/// `errors`.
net::Response problem(const spec::Mistakes&);

/// A failure of something below: 503 where trying again may help, else 500.
net::Response problem(const Failure&);

/// A good answer.
net::Response json(int status, std::string body);

}  // namespace suan::http
