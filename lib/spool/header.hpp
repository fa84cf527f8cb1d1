// The first 8 KiB of a segment (FORMAT.md, "Segment header"): the header, written once, and the totals of the
// segments retired so far, overwritten in place. Both stand there twice, in different pages, so that one
// damaged page takes neither away.
#pragma once

#include "spool/record.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::spool {

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t header_area_bytes = 8192;
inline constexpr std::size_t totals_bytes = 512;
inline constexpr std::array<std::uint64_t, 2> totals_offsets = {512, 4096 + 512};

// Counts of events whose frames are gone.
struct tally {
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t handed_off = 0;
    std::uint64_t dropped = 0;
    std::uint64_t lost = 0;

    void add(const tally& other) noexcept;
    bool operator==(const tally&) const = default;
};

struct segment_header {
    std::uint32_t version = format_version;
    bool sparse = false; // rewritten by compaction: only the survivors of [first, last]
    sequence first = 0;
    sequence last = 0; // sparse only
    std::uint64_t hash_seed = 0;
    std::uint64_t id = 0; // random: marks of another file that had the same name do not count
    wall_time created_at{};
    // Sparse only.
    tally removed;             // events of [first, last] that are not in the file
    std::uint64_t numbers = 0; // accept numbers that this segment accounts for; retired ones between are not
    std::uint64_t kept = 0;    // events in the file
};

// What is left of retired segments. The newest one in the directory counts (highest generation).
struct retired_totals {
    static constexpr std::size_t max_leaving = 32;

    std::uint64_t generation = 0;
    tally events;
    std::uint64_t numbers = 0;     // accept numbers outside the segments that remain
    std::vector<sequence> leaving; // segments counted above whose files may still be there
};

std::string encode_header_area(const segment_header& header, const retired_totals& totals);
std::string encode_totals(const retired_totals& totals);

// The better of the two copies; nothing when both are damaged. A header of a newer version is returned with
// that version and nothing else.
std::optional<segment_header> decode_header(std::string_view area);
std::optional<retired_totals> decode_totals(std::string_view area);

} // namespace linkrunner::spool
