#include "spool/frame.hpp"

#include "base/crc32c.hpp"
#include "spool/bytes.hpp"

#include <algorithm>
#include <cstring>

namespace linkrunner::spool {

namespace {

// Offsets in the frame.
constexpr std::size_t at_head_crc = 0; // over [4, 32)
constexpr std::size_t at_payload_crc = 4;
constexpr std::size_t at_length = 8;
constexpr std::size_t at_group_index = 12;
constexpr std::size_t at_number = 16;
constexpr std::size_t at_type = 24;
constexpr std::size_t at_flags = 25;
constexpr std::size_t at_lane = 26;
constexpr std::size_t at_path = 27;
constexpr std::size_t at_body_bytes = 28; // events only, else 0
constexpr std::size_t at_accepted = 32;
constexpr std::size_t at_user_key = 40;
constexpr std::size_t at_identity_high = 48;
constexpr std::size_t at_identity_low = 56;
constexpr std::size_t at_body_hash = 64;
constexpr std::size_t at_name = 72; // offset after the head, length
constexpr std::size_t at_event_id = 80;

constexpr std::uint8_t flag_ambiguous_dead = 1;

struct range {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

// Where `text` stands in the body, or else at the end of what follows it.
range place(std::string_view text, std::string_view body, std::string& out, std::size_t payload_start) {
    range where;
    where.length = static_cast<std::uint32_t>(text.size());
    if (text.empty()) {
        return where;
    }
    const void* found = ::memmem(body.data(), body.size(), text.data(), text.size());
    if (found != nullptr) {
        where.offset = static_cast<std::uint32_t>(static_cast<const char*>(found) - body.data());
    } else {
        where.offset = static_cast<std::uint32_t>(out.size() - payload_start);
        out.append(text);
    }
    return where;
}

std::uint32_t range_crc(std::string_view frame, std::size_t from, std::size_t to, std::uint32_t salt) {
    return crc32c(frame.substr(from, to - from), salt);
}

void seal_frame(char* frame, std::size_t length, std::uint32_t salt) {
    const std::string_view all(frame, length);
    put(frame + at_payload_crc, range_crc(all, frame_head_bytes, length, salt));
    put(frame + at_head_crc, range_crc(all, at_payload_crc, frame_head_bytes, salt));
}

void put_range(char* at, const range& where) {
    put(at, where.offset);
    put(at + 4, where.length);
}

std::optional<std::string_view> get_range(const char* at, std::string_view payload) {
    const auto offset = get<std::uint32_t>(at);
    const auto length = get<std::uint32_t>(at + 4);
    if (std::uint64_t{offset} + length > payload.size()) {
        return {};
    }
    return payload.substr(offset, length);
}

} // namespace

std::uint32_t salt_of(std::uint64_t hash_seed) noexcept {
    return static_cast<std::uint32_t>(hash_seed ^ (hash_seed >> 32));
}

std::size_t frame_bytes(const new_event& event) noexcept {
    return round_up(event_head_bytes + event.body.size() + event.name.size() + event.event_id.size(), 8);
}

void encode_event(std::string& out, const new_event& event, sequence number, std::uint32_t group_index,
                  std::uint32_t salt) {
    const std::size_t start = out.size();
    const std::size_t payload_start = start + event_head_bytes;
    out.resize(payload_start);
    out.append(event.body);
    const range name = place(event.name, event.body, out, payload_start);
    const range event_id = place(event.event_id, event.body, out, payload_start);
    const std::size_t length = out.size() - start;
    out.resize(start + round_up(length, 8));

    char* frame = out.data() + start;
    put(frame + at_length, static_cast<std::uint32_t>(length));
    put(frame + at_group_index, group_index);
    put(frame + at_number, number);
    put(frame + at_type, static_cast<std::uint8_t>(frame_type::event));
    put(frame + at_flags, event.ambiguous_dead ? flag_ambiguous_dead : std::uint8_t{0});
    put(frame + at_lane, event.lane);
    put(frame + at_path, static_cast<std::uint8_t>(event.path));
    put(frame + at_body_bytes, static_cast<std::uint32_t>(event.body.size()));
    put(frame + at_accepted, static_cast<std::uint64_t>(event.accepted_at.time_since_epoch().count()));
    put(frame + at_user_key, event.user_key);
    put(frame + at_identity_high, event.identity.high);
    put(frame + at_identity_low, event.identity.low);
    put(frame + at_body_hash, event.body_hash);
    put_range(frame + at_name, name);
    put_range(frame + at_event_id, event_id);
    seal_frame(frame, length, salt);
}

void encode_frame(std::string& out, frame_type type, sequence number, std::string_view payload,
                  std::uint32_t salt) {
    const std::size_t start = out.size();
    const std::size_t length = frame_head_bytes + payload.size();
    out.resize(start + frame_head_bytes);
    out.append(payload);
    out.resize(start + round_up(length, 8));
    char* frame = out.data() + start;
    put(frame + at_length, static_cast<std::uint32_t>(length));
    put(frame + at_number, number);
    put(frame + at_type, static_cast<std::uint8_t>(type));
    seal_frame(frame, length, salt);
}

std::optional<frame_head> decode_head(std::string_view bytes, std::uint32_t salt) noexcept {
    if (bytes.size() < frame_head_bytes) {
        return {};
    }
    frame_head head;
    head.length_bytes = get<std::uint32_t>(bytes.data() + at_length);
    const auto type = get<std::uint8_t>(bytes.data() + at_type);
    head.lane = get<std::uint8_t>(bytes.data() + at_lane);
    // Cheap tests first: resynchronising tries every eighth byte.
    if (head.length_bytes < frame_head_bytes || head.length_bytes > max_frame_bytes || type < 1 || type > 3 ||
        head.lane >= max_lanes) {
        return {};
    }
    head.type = static_cast<frame_type>(type);
    if (head.type == frame_type::event && head.length_bytes < event_head_bytes) {
        return {};
    }
    if (get<std::uint32_t>(bytes.data() + at_head_crc) !=
        range_crc(bytes, at_payload_crc, frame_head_bytes, salt)) {
        return {};
    }
    head.payload_crc = get<std::uint32_t>(bytes.data() + at_payload_crc);
    head.group_index = get<std::uint32_t>(bytes.data() + at_group_index);
    head.number = get<std::uint64_t>(bytes.data() + at_number);
    head.flags = get<std::uint8_t>(bytes.data() + at_flags);
    head.path = get<std::uint8_t>(bytes.data() + at_path);
    return head;
}

bool intact(const frame_head& head, std::string_view frame, std::uint32_t salt) noexcept {
    return frame.size() >= head.length_bytes &&
           range_crc(frame, frame_head_bytes, head.length_bytes, salt) == head.payload_crc;
}

std::optional<stored_event> decode_event(const frame_head& head, std::string_view frame) {
    frame = frame.substr(0, head.length_bytes);
    const std::string_view payload = frame.substr(event_head_bytes);
    const auto body_bytes = get<std::uint32_t>(frame.data() + at_body_bytes);
    const auto name = get_range(frame.data() + at_name, payload);
    const auto event_id = get_range(frame.data() + at_event_id, payload);
    if (body_bytes > payload.size() || !name || !event_id || head.path >= endpoint_count) {
        return {};
    }
    stored_event out;
    out.number = head.number;
    out.path = static_cast<endpoint>(head.path);
    out.lane = head.lane;
    out.ambiguous_dead = (head.flags & flag_ambiguous_dead) != 0;
    out.user_key = get<std::uint64_t>(frame.data() + at_user_key);
    const event_head about = decode_event_head(frame);
    out.accepted_at = about.accepted_at;
    out.identity = about.identity;
    out.body_hash = about.body_hash;
    out.name = *name;
    out.event_id = *event_id;
    out.body = payload.substr(0, body_bytes);
    return out;
}

event_head decode_event_head(std::string_view frame) noexcept {
    event_head about;
    const auto accepted = static_cast<std::int64_t>(get<std::uint64_t>(frame.data() + at_accepted));
    about.accepted_at = wall_time(std::chrono::milliseconds(accepted));
    about.identity.high = get<std::uint64_t>(frame.data() + at_identity_high);
    about.identity.low = get<std::uint64_t>(frame.data() + at_identity_low);
    about.body_hash = get<std::uint64_t>(frame.data() + at_body_hash);
    return about;
}

} // namespace linkrunner::spool
