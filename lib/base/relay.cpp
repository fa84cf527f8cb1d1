#include "base/relay.hpp"

#include "base/hash.hpp"

#include <array>
#include <cstdio>

namespace linkrunner {

std::string spool_name(std::uint64_t hash_seed) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx",
                  static_cast<unsigned long long>(hash64(hash_seed, "the name of the spool")));
    return digits.data();
}

} // namespace linkrunner
