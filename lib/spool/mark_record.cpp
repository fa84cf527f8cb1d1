#include "spool/mark_record.hpp"

#include "base/crc32c.hpp"
#include "spool/bytes.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {

constexpr std::string_view magic("lrmarks\n", 8);
constexpr std::uint32_t marks_version = 1;

// Offsets in a record.
constexpr std::size_t at_length = 4; // the checksum before it covers [4, length)
constexpr std::size_t at_kind = 6;
constexpr std::size_t at_number = 8;
constexpr std::size_t at_payload = 16;
// In the payload of a dead letter.
constexpr std::size_t letter_bytes = 28;

void finish(std::string& out, std::size_t start, std::uint8_t kind, sequence number, std::uint32_t salt) {
    const std::size_t length = round_up(out.size() - start, 8);
    out.resize(start + length);
    char* record = out.data() + start;
    put(record + at_length, static_cast<std::uint16_t>(length));
    put(record + at_kind, kind);
    put(record + at_number, number);
    put(record, crc32c(std::string_view(record, length).substr(at_length), salt));
}

std::uint64_t count(wall_time when) {
    return static_cast<std::uint64_t>(when.time_since_epoch().count());
}

wall_time time_from(std::uint64_t milliseconds) {
    return wall_time(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

void put_letter(std::string& out, const dead_letter& letter) {
    const std::size_t at = out.size();
    const std::string_view excerpt = std::string_view(letter.excerpt).substr(0, max_excerpt_bytes);
    out.resize(at + letter_bytes);
    char* bytes = out.data() + at;
    put(bytes, static_cast<std::uint8_t>(letter.reason));
    put(bytes + 1, static_cast<std::uint8_t>(letter.ambiguous ? 1 : 0));
    put(bytes + 2, static_cast<std::uint16_t>(letter.last_status));
    put(bytes + 4, letter.attempts);
    put(bytes + 8, count(letter.first_attempt));
    put(bytes + 16, count(letter.last_attempt));
    put(bytes + 24, static_cast<std::uint16_t>(excerpt.size()));
    out.append(excerpt);
}

dead_letter get_letter(std::string_view payload) {
    dead_letter letter;
    if (payload.size() < letter_bytes) {
        return letter;
    }
    const char* bytes = payload.data();
    letter.reason = static_cast<dead_reason>(get<std::uint8_t>(bytes));
    letter.ambiguous = get<std::uint8_t>(bytes + 1) != 0;
    letter.last_status = get<std::uint16_t>(bytes + 2);
    letter.attempts = get<std::uint32_t>(bytes + 4);
    letter.first_attempt = time_from(get<std::uint64_t>(bytes + 8));
    letter.last_attempt = time_from(get<std::uint64_t>(bytes + 16));
    letter.excerpt = payload.substr(letter_bytes).substr(0, get<std::uint16_t>(bytes + 24));
    return letter;
}

} // namespace

void encode_mark(std::string& out, const mark& one, std::uint32_t salt) {
    const std::size_t start = out.size();
    out.resize(start + at_payload);
    if (one.kind == mark_kind::dead) {
        put_letter(out, one.letter);
    } else if (one.kind == mark_kind::dropped && !one.reason.empty()) {
        const std::string_view reason = std::string_view(one.reason).substr(0, max_reason_bytes);
        out.push_back(static_cast<char>(reason.size()));
        out.append(reason);
    }
    finish(out, start, static_cast<std::uint8_t>(one.kind), one.number, salt);
}

void encode_void(std::string& out, sequence number, std::uint32_t salt) {
    const std::size_t start = out.size();
    out.resize(start + at_payload);
    finish(out, start, void_mark, number, salt);
}

std::optional<mark_view> decode_mark(std::string_view bytes, std::uint32_t salt) noexcept {
    if (bytes.size() < min_mark_bytes) {
        return {};
    }
    const std::size_t length = get<std::uint16_t>(bytes.data() + at_length);
    const auto kind = get<std::uint8_t>(bytes.data() + at_kind);
    if (length < min_mark_bytes || length > max_mark_bytes || length % 8 != 0 || length > bytes.size() ||
        kind < 1 || kind > void_mark ||
        get<std::uint32_t>(bytes.data()) != crc32c(bytes.substr(at_length, length - at_length), salt)) {
        return {};
    }
    return mark_view{kind, get<std::uint64_t>(bytes.data() + at_number), bytes.substr(0, length)};
}

mark decode_whole_mark(const mark_view& view) {
    mark out;
    out.number = view.number;
    out.kind = static_cast<mark_kind>(view.kind);
    const std::string_view payload = view.record.substr(at_payload);
    if (out.kind == mark_kind::dead) {
        out.letter = get_letter(payload);
    } else if (out.kind == mark_kind::dropped && !payload.empty()) {
        out.reason = payload.substr(1, static_cast<unsigned char>(payload.front()));
    }
    return out;
}

marks_scan scan_marks(std::string_view records, std::uint32_t salt,
                      const std::function<void(const mark_view&)>& each) {
    marks_scan found;
    const std::size_t used = length_without_zeros(records);
    std::uint64_t at = 0;
    std::uint64_t skipped = 0;                                   // since the last intact record
    while (at < used && at + min_mark_bytes <= records.size()) { // a record may end in zeros itself
        const auto view = decode_mark(records.substr(at), salt);
        if (view) {
            each(*view);
            at += view->record.size();
            found.end = at;
            found.damaged += skipped;
            skipped = 0;
        } else {
            at += 8;
            skipped += 8;
        }
    }
    found.damaged += used > found.end ? used - found.end : 0;
    return found;
}

std::string encode_marks_header(const marks_header& header) {
    std::string out(marks_header_bytes, '\0');
    std::copy(magic.begin(), magic.end(), out.begin());
    put(out.data() + 8, marks_version);
    put(out.data() + 16, header.segment_id);
    put(out.data() + 24, header.hash_seed);
    put(out.data() + 12, crc32c(std::string_view(out).substr(16)));
    return out;
}

std::optional<marks_header> decode_marks_header(std::string_view bytes) {
    if (bytes.size() < marks_header_bytes || !bytes.starts_with(magic) ||
        get<std::uint32_t>(bytes.data() + 8) != marks_version ||
        get<std::uint32_t>(bytes.data() + 12) != crc32c(bytes.substr(16, 16))) {
        return {};
    }
    return marks_header{get<std::uint64_t>(bytes.data() + 16), get<std::uint64_t>(bytes.data() + 24)};
}

} // namespace linkrunner::spool
