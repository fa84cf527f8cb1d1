#include "spool/header.hpp"

#include "base/crc32c.hpp"
#include "spool/bytes.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {

constexpr std::string_view magic("lrspool\n", 8);
constexpr std::array<std::uint64_t, 2> header_offsets = {0, 4096};
constexpr std::size_t header_bytes = 128;
constexpr std::size_t header_crc_at = 124; // over [0, 124)

constexpr std::uint32_t flag_sparse = 1;

constexpr std::uint32_t totals_magic = 0x31544f54; // "TOT1"
constexpr std::size_t totals_crc_at = 508;         // over [0, 508)
constexpr std::size_t leaving_at = 80;

void put_tally(char* at, const tally& counts) {
    put(at, counts.accepted);
    put(at + 8, counts.delivered);
    put(at + 16, counts.handed_off);
    put(at + 24, counts.dropped);
    put(at + 32, counts.lost);
}

tally get_tally(const char* at) {
    return {get<std::uint64_t>(at), get<std::uint64_t>(at + 8), get<std::uint64_t>(at + 16),
            get<std::uint64_t>(at + 24), get<std::uint64_t>(at + 32)};
}

std::string encode_header(const segment_header& header) {
    std::string out(header_bytes, '\0');
    std::copy(magic.begin(), magic.end(), out.begin());
    put(out.data() + 8, format_version);
    put(out.data() + 12, header.sparse ? flag_sparse : 0);
    put(out.data() + 16, header.first);
    put(out.data() + 24, header.last);
    put(out.data() + 32, header.hash_seed);
    put(out.data() + 40, header.id);
    put(out.data() + 48, static_cast<std::uint64_t>(header.created_at.time_since_epoch().count()));
    put_tally(out.data() + 56, header.removed);
    put(out.data() + 96, header.numbers);
    put(out.data() + 104, header.kept);
    put(out.data() + header_crc_at, crc32c(std::string_view(out).substr(0, header_crc_at)));
    return out;
}

std::optional<segment_header> decode_copy(std::string_view bytes) {
    if (bytes.size() < header_bytes || !bytes.starts_with(magic) ||
        get<std::uint32_t>(bytes.data() + header_crc_at) != crc32c(bytes.substr(0, header_crc_at))) {
        return {};
    }
    segment_header out;
    out.version = get<std::uint32_t>(bytes.data() + 8);
    if (out.version > format_version) {
        return out;
    }
    out.sparse = (get<std::uint32_t>(bytes.data() + 12) & flag_sparse) != 0;
    out.first = get<std::uint64_t>(bytes.data() + 16);
    out.last = get<std::uint64_t>(bytes.data() + 24);
    out.hash_seed = get<std::uint64_t>(bytes.data() + 32);
    out.id = get<std::uint64_t>(bytes.data() + 40);
    const auto created = static_cast<std::int64_t>(get<std::uint64_t>(bytes.data() + 48));
    out.created_at = wall_time(std::chrono::milliseconds(created));
    out.removed = get_tally(bytes.data() + 56);
    out.numbers = get<std::uint64_t>(bytes.data() + 96);
    out.kept = get<std::uint64_t>(bytes.data() + 104);
    return out;
}

std::optional<retired_totals> decode_totals_copy(std::string_view bytes) {
    if (bytes.size() < totals_bytes || get<std::uint32_t>(bytes.data()) != totals_magic ||
        get<std::uint32_t>(bytes.data() + totals_crc_at) != crc32c(bytes.substr(0, totals_crc_at))) {
        return {};
    }
    retired_totals out;
    out.generation = get<std::uint64_t>(bytes.data() + 8);
    out.events = get_tally(bytes.data() + 16);
    out.numbers = get<std::uint64_t>(bytes.data() + 56);
    const auto count = std::min<std::size_t>(get<std::uint32_t>(bytes.data() + 4), out.max_leaving);
    for (std::size_t index = 0; index < count; ++index) {
        out.leaving.push_back(get<std::uint64_t>(bytes.data() + leaving_at + 8 * index));
    }
    return out;
}

} // namespace

void tally::add(const tally& other) noexcept {
    accepted += other.accepted;
    delivered += other.delivered;
    handed_off += other.handed_off;
    dropped += other.dropped;
    lost += other.lost;
}

std::string encode_totals(const retired_totals& totals) {
    std::string out(totals_bytes, '\0');
    put(out.data(), totals_magic);
    put(out.data() + 4, static_cast<std::uint32_t>(totals.leaving.size()));
    put(out.data() + 8, totals.generation);
    put_tally(out.data() + 16, totals.events);
    put(out.data() + 56, totals.numbers);
    char* at = out.data() + leaving_at;
    for (const sequence first : totals.leaving) {
        put(at, first);
        at += 8;
    }
    put(out.data() + totals_crc_at, crc32c(std::string_view(out).substr(0, totals_crc_at)));
    return out;
}

std::string encode_header_area(const segment_header& header, const retired_totals& totals) {
    std::string area(header_area_bytes, '\0');
    const std::string head = encode_header(header);
    const std::string sums = encode_totals(totals);
    for (const std::uint64_t offset : header_offsets) {
        area.replace(offset, head.size(), head);
    }
    for (const std::uint64_t offset : totals_offsets) {
        area.replace(offset, sums.size(), sums);
    }
    return area;
}

std::optional<segment_header> decode_header(std::string_view area) {
    for (const std::uint64_t offset : header_offsets) {
        if (offset < area.size()) {
            if (auto header = decode_copy(area.substr(offset))) {
                return header;
            }
        }
    }
    return {};
}

std::optional<retired_totals> decode_totals(std::string_view area) {
    std::optional<retired_totals> best;
    for (const std::uint64_t offset : totals_offsets) {
        if (offset < area.size()) {
            auto totals = decode_totals_copy(area.substr(offset));
            if (totals && (!best || totals->generation > best->generation)) {
                best = std::move(totals);
            }
        }
    }
    return best;
}

} // namespace linkrunner::spool
