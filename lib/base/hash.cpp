#include "base/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace linkrunner {

std::uint64_t hash64(std::uint64_t seed, std::string_view bytes) noexcept {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

fingerprint hash128(std::uint64_t seed, std::initializer_list<std::string_view> fields) noexcept {
    XXH3_state_t state;
    XXH3_INITSTATE(&state); // a reset compares with the seed of the state before it
    XXH3_128bits_reset_withSeed(&state, seed);
    for (const std::string_view field : fields) {
        const std::uint64_t length = field.size();
        XXH3_128bits_update(&state, &length, sizeof length);
        XXH3_128bits_update(&state, field.data(), field.size());
    }
    const XXH128_hash_t digest = XXH3_128bits_digest(&state);
    return {digest.high64, digest.low64};
}

} // namespace linkrunner
