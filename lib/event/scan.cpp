#include "event/scan.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace linkrunner::event::scan {

namespace {

enum class meaning : unsigned char { other, quote, open, close, ends_scalar };

constexpr std::array<meaning, 256> meanings = [] {
    std::array<meaning, 256> table{};
    table['"'] = meaning::quote;
    table['{'] = table['['] = meaning::open;
    table['}'] = table[']'] = meaning::close;
    table[','] = table[' '] = table['\n'] = table['\r'] = table['\t'] = meaning::ends_scalar;
    return table;
}();

meaning meaning_of(char c) noexcept {
    return meanings[static_cast<unsigned char>(c)];
}

// Eight bytes are looked at in one step. A mask has the top bit set of each byte that is meant, exactly.
using word = std::uint64_t;
constexpr std::ptrdiff_t word_bytes = sizeof(word);
constexpr word each_byte = 0x0101010101010101;

word load(const char* p) noexcept {
    word bytes = 0;
    std::memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

constexpr word mask_equal(word bytes, char wanted) noexcept {
    const word difference = bytes ^ (each_byte * static_cast<unsigned char>(wanted));
    constexpr word low_bits = each_byte * 0x7F;
    return ~(((difference & low_bits) + low_bits) | difference | low_bits);
}

constexpr int count(word mask) noexcept {
    return static_cast<int>(((mask >> 7) * each_byte) >> 56); // cheaper than popcount without its instruction
}

constexpr int first_of(word mask) noexcept {
    return (std::endian::native == std::endian::little ? std::countr_zero(mask) : std::countl_zero(mask)) / 8;
}

// Kinds of brackets are not told apart: where they do not match, the text is refused as malformed later.
const char* skip_container(const char* p, const char* end) noexcept {
    std::ptrdiff_t depth = 0;
    while (p != end) {
        if (depth > word_bytes && end - p >= word_bytes) {
            // No eight bytes can close so many, so without a quote among them counting is enough.
            constexpr word lower_case = each_byte * 0x20; // makes [ and ] equal to { and }
            const word bytes = load(p);
            if (mask_equal(bytes, '"') == 0) {
                const word folded = bytes | lower_case;
                depth += count(mask_equal(folded, '{')) - count(mask_equal(folded, '}'));
                p += word_bytes;
                continue;
            }
        }
        switch (meaning_of(*p)) {
        case meaning::quote:
            p = skip_string(p, end);
            if (p == nullptr) {
                return nullptr;
            }
            continue;
        case meaning::open:
            ++depth;
            break;
        case meaning::close:
            if (--depth == 0) {
                return p + 1;
            }
            break;
        default:
            break;
        }
        ++p;
    }
    return nullptr;
}

} // namespace

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

const char* skip_string(const char* p, const char* end) noexcept {
    ++p;
    while (p < end) {
        if (end - p >= word_bytes) {
            const word bytes = load(p);
            const word mask = mask_equal(bytes, '"') | mask_equal(bytes, '\\');
            if (mask == 0) {
                p += word_bytes;
                continue;
            }
            p += first_of(mask);
        }
        if (*p == '"') {
            return p + 1;
        }
        if (*p == '\\' && ++p == end) {
            return nullptr;
        }
        ++p;
    }
    return nullptr;
}

const char* skip_value(const char* p, const char* end) noexcept {
    if (p == end) {
        return end;
    }
    switch (meaning_of(*p)) {
    case meaning::open:
        return skip_container(p, end);
    case meaning::quote:
        return skip_string(p, end);
    default:
        while (p != end && meaning_of(*p) == meaning::other) {
            ++p;
        }
        return p;
    }
}

} // namespace linkrunner::event::scan
