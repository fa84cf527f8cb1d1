#include "spool/identity_file.hpp"

#include "base/crc32c.hpp"
#include "spool/bytes.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {

constexpr std::string_view magic("lrident\n", 8);
constexpr std::uint32_t version = 1;
constexpr std::size_t head_bytes = 40; // magic, version, checksum over [16, end), first, last, count
constexpr std::size_t entry_bytes = 24;

} // namespace

std::string encode_identity_file(const identity_file& content) {
    std::string out(head_bytes + content.entries.size() * entry_bytes, '\0');
    std::copy(magic.begin(), magic.end(), out.begin());
    put(out.data() + 8, version);
    put(out.data() + 16, content.first);
    put(out.data() + 24, content.last);
    put(out.data() + 32, static_cast<std::uint64_t>(content.entries.size()));
    char* at = out.data() + head_bytes;
    for (const auto& one : content.entries) {
        put(at, one.key);
        put(at + 8, one.body);
        put(at + 12, one.number_low);
        put(at + 16, one.time_and_end);
        at += entry_bytes;
    }
    put(out.data() + 12, crc32c(std::string_view(out).substr(16)));
    return out;
}

std::optional<identity_file> decode_identity_file(std::string_view bytes) {
    if (bytes.size() < head_bytes || !bytes.starts_with(magic) ||
        get<std::uint32_t>(bytes.data() + 8) != version ||
        get<std::uint32_t>(bytes.data() + 12) != crc32c(bytes.substr(16)) ||
        get<std::uint64_t>(bytes.data() + 32) != (bytes.size() - head_bytes) / entry_bytes) {
        return {};
    }
    identity_file out;
    out.first = get<std::uint64_t>(bytes.data() + 16);
    out.last = get<std::uint64_t>(bytes.data() + 24);
    for (std::size_t at = head_bytes; at + entry_bytes <= bytes.size(); at += entry_bytes) {
        const char* one = bytes.data() + at;
        out.entries.push_back({get<std::uint64_t>(one), get<std::uint32_t>(one + 8),
                               get<std::uint32_t>(one + 12), get<std::uint64_t>(one + 16)});
    }
    return out;
}

} // namespace linkrunner::spool
