// Seeded, not cryptographic hashes (XXH3). The seed is random per spool directory, so that nobody outside can
// prepare collisions.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace linkrunner {

struct fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const fingerprint&) const = default;
};

std::uint64_t hash64(std::uint64_t seed, std::string_view bytes) noexcept;

// Hash of several fields; each is hashed with its length, so that ("ab","c") and ("a","bc") differ.
fingerprint hash128(std::uint64_t seed, std::initializer_list<std::string_view> fields) noexcept;

} // namespace linkrunner
