// Answers in Linkrunner's own envelope: {"msg": "...", "status": 202, "data": {...}}.
#pragma once

#include "net/message.hpp"

#include <string_view>

namespace linkrunner::net {

// `data` is JSON text, written as it is.
response envelope(int status, std::string_view message, std::string_view data = "null");

// A refusal: data is {"code": "..."}.
response refusal(int status, std::string_view code, std::string_view message);

} // namespace linkrunner::net
