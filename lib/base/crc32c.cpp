#include "base/crc32c.hpp"

#include <boost/crc.hpp>

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace linkrunner {

namespace {

std::uint32_t portable(std::string_view bytes, std::uint32_t before) noexcept {
    // boost::crc keeps its remainder bit-reversed and complemented at the end only.
    const auto reversed = [](std::uint32_t value) {
        std::uint32_t out = 0;
        for (int bit = 0; bit < 32; ++bit) {
            out = (out << 1) | ((value >> bit) & 1);
        }
        return out;
    };
    boost::crc_optimal<32, 0x1EDC6F41, 0, 0xFFFFFFFF, true, true> crc(reversed(~before));
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t hardware(std::string_view bytes,
                                                         std::uint32_t before) noexcept {
    std::uint64_t crc = ~before;
    while (bytes.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data(), 8);
        crc = _mm_crc32_u64(crc, word);
        bytes.remove_prefix(8);
    }
    auto low = static_cast<std::uint32_t>(crc);
    for (const char byte : bytes) {
        low = _mm_crc32_u8(low, static_cast<unsigned char>(byte));
    }
    return ~low;
}

bool has_hardware() noexcept {
    return __builtin_cpu_supports("sse4.2") != 0;
}
#elif defined(__ARM_FEATURE_CRC32)
std::uint32_t hardware(std::string_view bytes, std::uint32_t before) noexcept {
    std::uint32_t crc = ~before;
    while (bytes.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data(), 8);
        crc = __crc32cd(crc, word);
        bytes.remove_prefix(8);
    }
    for (const char byte : bytes) {
        crc = __crc32cb(crc, static_cast<unsigned char>(byte));
    }
    return ~crc;
}

bool has_hardware() noexcept {
    return true;
}
#else
std::uint32_t hardware(std::string_view bytes, std::uint32_t before) noexcept {
    return portable(bytes, before);
}

bool has_hardware() noexcept {
    return false;
}
#endif

} // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
    static const bool by_instruction = has_hardware();
    return by_instruction ? hardware(bytes, before) : portable(bytes, before);
}

} // namespace linkrunner
