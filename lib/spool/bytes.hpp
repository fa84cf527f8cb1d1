// Little-endian numbers in buffers, whatever the machine's order and alignment.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace linkrunner::spool {

template <std::unsigned_integral T>
constexpr T little_endian(T value) noexcept {
    if constexpr (std::endian::native == std::endian::big && sizeof(T) > 1) {
        T swapped = 0;
        for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
            swapped = static_cast<T>((swapped << 8) | ((value >> (8 * byte)) & 0xff));
        }
        return swapped;
    }
    return value;
}

template <std::unsigned_integral T>
void put(char* at, T value) noexcept {
    value = little_endian(value);
    std::memcpy(at, &value, sizeof value);
}

template <std::unsigned_integral T>
T get(const char* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof value);
    return little_endian(value);
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) noexcept {
    return (value + step - 1) / step * step;
}

// The length without the zeros at the end. Looks at long stretches at once: most of what is looked at is
// zeros written ahead.
inline std::size_t length_without_zeros(std::string_view bytes) noexcept {
    static constexpr char zeros[512] = {};
    std::size_t length = bytes.size();
    while (length >= sizeof zeros &&
           std::memcmp(bytes.data() + length - sizeof zeros, zeros, sizeof zeros) == 0) {
        length -= sizeof zeros;
    }
    while (length > 0 && bytes[length - 1] == '\0') {
        --length;
    }
    return length;
}

inline bool all_zero(std::string_view bytes) noexcept {
    return length_without_zeros(bytes) == 0;
}

} // namespace linkrunner::spool
