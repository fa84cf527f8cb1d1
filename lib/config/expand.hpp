// ${NAME} and ${NAME:-otherwise} in values, $$ for a dollar sign, as in the shell (POSIX.1-2017, XCU 2.6.2).
// A dollar sign before anything else stays as it is.
#pragma once

#include "base/error.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::config {

using lookup = std::function<std::optional<std::string>(const std::string&)>;

// Errors name the variable that is not set, or show how to write a reference.
result<std::string> expand(std::string_view text, const lookup& environment);

} // namespace linkrunner::config
