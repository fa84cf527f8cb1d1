// Comparison of secrets whose time does not depend on where they differ.
#pragma once

#include <cstddef>
#include <string_view>

namespace linkrunner {

inline bool constant_time_equal(std::string_view left, std::string_view right) noexcept {
    // The length of a secret may be learnt from the time, its bytes may not.
    volatile unsigned difference = left.size() == right.size() ? 0u : 1u;
    for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
        difference = difference | static_cast<unsigned>(static_cast<unsigned char>(left[i]) ^
                                                        static_cast<unsigned char>(right[i]));
    }
    return difference == 0;
}

} // namespace linkrunner
