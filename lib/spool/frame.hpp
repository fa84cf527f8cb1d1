// Frames: what a segment consists of after its header (FORMAT.md, "Frames"). Each stands at a multiple of
// 8 bytes and carries its number and two CRC-32C, one over its first 32 bytes and one over the rest, so that
// a reader can tell a damaged length from a damaged body. Both sums start from the directory's salt: nobody
// outside can write an event whose body would pass for a frame after damage.
#pragma once

#include "spool/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::spool {

inline constexpr std::size_t frame_head_bytes = 32;
inline constexpr std::size_t event_head_bytes = 88; // with the frame's head
inline constexpr std::size_t max_frame_bytes = std::size_t{64} << 20;

// The numbers are stored on disk.
enum class frame_type : std::uint8_t {
    event = 1,
    closed = 2, // the log ended in order here: every number before this frame's was committed
    mark = 3,   // a mark of an earlier event of the same segment, written by compaction
};

struct frame_head {
    std::uint32_t length_bytes = 0; // of the whole frame, without the padding to 8
    std::uint32_t group_index = 0;  // frames of the same group before this one: those before are committed
    sequence number = 0;
    frame_type type = frame_type::event;
    std::uint8_t flags = 0;
    std::uint8_t lane = 0;
    std::uint8_t path = 0;
    std::uint32_t payload_crc = 0;

    std::uint64_t padded_bytes() const noexcept {
        return (std::uint64_t{length_bytes} + 7) & ~std::uint64_t{7};
    }
};

// What an event's frame says without its body.
struct event_head {
    wall_time accepted_at{};
    fingerprint identity;
    std::uint64_t body_hash = 0;
};

std::uint32_t salt_of(std::uint64_t hash_seed) noexcept;

// Upper bound of the frame's padded size.
std::size_t frame_bytes(const new_event& event) noexcept;

// Appends the event's frame, padded, to `out`. `number` is its accept number.
void encode_event(std::string& out, const new_event& event, sequence number, std::uint32_t group_index,
                  std::uint32_t salt);

// Appends a frame of another type.
void encode_frame(std::string& out, frame_type type, sequence number, std::string_view payload,
                  std::uint32_t salt);

// The head at the beginning of `bytes`, if its checksum holds and its values make sense.
std::optional<frame_head> decode_head(std::string_view bytes, std::uint32_t salt) noexcept;

// Whether the rest of the frame is as it was written. `frame` is head.length_bytes long.
bool intact(const frame_head& head, std::string_view frame, std::uint32_t salt) noexcept;

// Of an intact frame of type event, `frame` as above; nothing when its ranges make no sense.
std::optional<stored_event> decode_event(const frame_head& head, std::string_view frame);

event_head decode_event_head(std::string_view frame) noexcept;

} // namespace linkrunner::spool
