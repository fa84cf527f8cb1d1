// Marks as they stand in a marks file and in the mark frames of a compacted segment (FORMAT.md, "Marks").
#pragma once

#include "spool/mark.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::spool {

inline constexpr std::size_t marks_header_bytes = 32;
inline constexpr std::size_t min_mark_bytes = 16;
inline constexpr std::size_t max_mark_bytes = 1024;
inline constexpr std::size_t max_excerpt_bytes = 512;
inline constexpr std::size_t max_reason_bytes = 64;

// The numbers of mark_kind, and one more that only recovery writes: the number was never accepted (the group
// that it was written with was torn by a crash, and frames after it in that group were not).
inline constexpr std::uint8_t void_mark = 7;

// Appends the record to `out`. Texts beyond their bounds are cut.
void encode_mark(std::string& out, const mark& one, std::uint32_t salt);
void encode_void(std::string& out, sequence number, std::uint32_t salt);

struct mark_view {
    std::uint8_t kind = 0; // a mark_kind or void_mark
    sequence number = 0;
    std::string_view record;
};

// The record at the beginning of `bytes`, if it is intact.
std::optional<mark_view> decode_mark(std::string_view bytes, std::uint32_t salt) noexcept;

// All that an intact record says; its kind is not void_mark.
mark decode_whole_mark(const mark_view& view);

struct marks_scan {
    std::uint64_t end = 0;     // after the last intact record
    std::uint64_t damaged = 0; // bytes skipped between intact records, and non-zero ones after the last
};

// Calls `each` for the intact records of a marks file's content after its header, in order.
marks_scan scan_marks(std::string_view records, std::uint32_t salt,
                      const std::function<void(const mark_view&)>& each);

// The header of a marks file.
struct marks_header {
    std::uint64_t segment_id = 0;
    std::uint64_t hash_seed = 0;
};
std::string encode_marks_header(const marks_header& header);
std::optional<marks_header> decode_marks_header(std::string_view bytes);

} // namespace linkrunner::spool
