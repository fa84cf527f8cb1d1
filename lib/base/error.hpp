// What can be expected to fail returns result<T>. An error carries a code that programs compare and a message
// that an operator can act on: what failed, where, why, what to do. Exceptions are for start-up only.
#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace linkrunner {

struct error {
    std::error_code code;
    std::string message;
};

template <class T>
using result = boost::system::result<T, error>;

// Makes an error from errno-like numbers: "context: strerror".
inline error system_failure(int number, const std::string& context) {
    const std::error_code code(number, std::generic_category());
    return {code, context + ": " + code.message()};
}

inline error make_error(std::errc code, std::string message) {
    return {std::make_error_code(code), std::move(message)};
}

// Called by result<T>::value() on an error: used at start-up only.
[[noreturn]] inline void throw_exception_from_error(const error& failure, const boost::source_location&) {
    throw std::system_error(failure.code, failure.message);
}

// A broken invariant stops the program with a message (exit by abort): going on could lose or invent an
// event.
[[noreturn]] void invariant_broken(const char* what, const char* file, int line) noexcept;

} // namespace linkrunner

#define LINKRUNNER_INVARIANT(condition)                                                                      \
    (static_cast<bool>(condition) ? void()                                                                   \
                                  : ::linkrunner::invariant_broken(#condition, __FILE_NAME__, __LINE__))
