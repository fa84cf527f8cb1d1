#include "spool/set_aside.hpp"

#include "spool/bytes.hpp"
#include "spool/frame.hpp"
#include "spool/header.hpp"

#include <algorithm>
#include <string>

namespace linkrunner::spool {

namespace {

constexpr std::uint64_t searched_bytes = std::uint64_t{64} << 20; // a damaged beginning may be long
constexpr sequence most_skipped = std::uint64_t{1} << 20;
constexpr std::size_t chunk_bytes = 1 << 20;

// Of a frame's head (frame.cpp): its own checksum stands before what it covers.
std::optional<frame_head> head_with(std::string_view head, std::uint32_t& salt) {
    salt = salt_before(head.substr(4, frame_head_bytes - 4), get<std::uint32_t>(head.data()));
    return decode_head(head, salt);
}

} // namespace

std::uint32_t salt_before(std::string_view bytes, std::uint32_t checksum) noexcept {
    constexpr std::uint32_t polynomial = 0x82F63B78; // CRC-32C, reflected
    std::uint32_t state = ~checksum;
    for (auto each = bytes.rbegin(); each != bytes.rend(); ++each) {
        for (int bit = 0; bit < 8; ++bit) {
            const bool reduced = (state & 0x80000000u) != 0;
            state = reduced ? ((state ^ polynomial) << 1) | 1u : state << 1;
        }
        state ^= static_cast<unsigned char>(*each);
    }
    return ~state;
}

std::optional<std::uint32_t> find_salt(disk_file& file, sequence first) {
    const auto size = file.size();
    if (!size) {
        return {};
    }
    const std::uint64_t end = std::min(*size, searched_bytes);
    std::string chunk(chunk_bytes, '\0');
    std::string frame;
    for (std::uint64_t from = header_area_bytes; from < end; from += chunk_bytes - frame_head_bytes) {
        const auto got = file.read_at(from, chunk);
        if (!got) {
            continue;
        }
        for (std::size_t at = 0; at + frame_head_bytes <= *got; at += 8) {
            const std::string_view bytes = std::string_view(chunk).substr(at, frame_head_bytes);
            std::uint32_t salt = 0;
            const auto head = head_with(bytes, salt); // its own checksum fits by design: the others must too
            if (!head || head->type != frame_type::event || head->number < first ||
                head->number - first > most_skipped || from + at + head->length_bytes > *size) {
                continue;
            }
            frame.resize(head->length_bytes);
            const auto read = file.read_at(from + at, frame);
            if (read && *read == frame.size() && intact(*head, frame, salt) && decode_event(*head, frame)) {
                return salt;
            }
        }
    }
    return {};
}

} // namespace linkrunner::spool
