// Whatever stands in the files of a spool directory: a start ends, without a crash; what it gives out as an
// event is as it was accepted; the ledger adds up; and a second start finds what the first one made of it.
// The input is a list of changes to a good directory: flipped bits, cut files, other bytes, also under
// checksums that are made right again, so that what they guard is reached.
#include "base/crc32c.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "spool/bytes.hpp"
#include "spool/frame_reader.hpp"
#include "spool/header.hpp"
#include "spool/mark_record.hpp"
#include "spool/store.hpp"
#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace {

using namespace linkrunner;
using namespace linkrunner::spool;

settings options() {
    settings out;
    out.directory = "/spool";
    out.segment_bytes = 16 << 10;
    out.max_bytes = 1 << 20;
    return out;
}

std::unique_ptr<store> open(test::memory_disk& files, const test::virtual_clock& time,
                            random_source& random) {
    recovery_report report;
    auto opened = store::open(options(), files, time, random, report);
    return opened ? std::move(*opened) : nullptr;
}

std::string body_of(const std::string& id) {
    return "{\"event_id\":\"" + id + "\",\"pad\":\"" + std::string(300, 'x') + "\"}";
}

void append(store& to, const std::string& id) {
    new_event event;
    event.event_id = id;
    event.name = "e";
    event.body = body_of(id);
    event.identity = hash128(1, {id});
    event.body_hash = hash64(1, event.body);
    std::array<append_job, 1> jobs;
    jobs[0].events.push_back(std::move(event));
    to.commit(jobs, {});
}

struct good_directory {
    std::map<std::string, std::string> files;
    std::set<std::string> bodies;
    std::uint32_t salt = 0;

    good_directory() {
        test::memory_disk disk;
        test::virtual_clock time;
        seeded_random random(1);
        auto made = open(disk, time, random);
        for (int i = 0; i < 60; ++i) {
            append(*made, "id-" + std::to_string(i));
            bodies.insert(body_of("id-" + std::to_string(i)));
        }
        std::array<mark_job, 1> jobs;
        for (sequence number = 1; number < 50; ++number) {
            mark one;
            one.number = number;
            one.kind = number % 9 == 0 ? mark_kind::dead : mark_kind::delivered;
            jobs[0].marks.push_back(one);
        }
        made->commit({}, jobs);
        for (int second = 0; second < 5; ++second) { // the first ones are compacted
            time.advance_to(time.steady() + std::chrono::seconds(1));
            made->maintain();
        }
        salt = salt_of(made->hash_seed());
        made.reset();
        for (const auto& [path, bytes] : disk.files) {
            files[path] = *bytes;
        }
    }
};

// The checksums of the frame or mark at this place, as if it had been written so.
void make_right(std::string& bytes, std::size_t at, std::uint32_t salt, bool is_mark) {
    if (is_mark && at + min_mark_bytes <= bytes.size()) {
        const std::size_t length = get<std::uint16_t>(bytes.data() + at + 4);
        if (length >= min_mark_bytes && at + length <= bytes.size()) {
            put(bytes.data() + at, crc32c(std::string_view(bytes).substr(at + 4, length - 4), salt));
        }
    } else if (!is_mark && at + frame_head_bytes <= bytes.size()) {
        const std::size_t length = get<std::uint32_t>(bytes.data() + at + 8);
        if (length >= frame_head_bytes && at + length <= bytes.size()) {
            const std::string_view frame = std::string_view(bytes).substr(at, length);
            put(bytes.data() + at + 4, crc32c(frame.substr(frame_head_bytes), salt));
        }
        put(bytes.data() + at, crc32c(std::string_view(bytes).substr(at + 4, frame_head_bytes - 4), salt));
    }
}

// Eight bytes each: file, what, place (4, in steps of a byte), value (2). True when bodies may be others now.
bool change(test::memory_disk& disk, const good_directory& good, const char* step) {
    auto chosen = disk.files.begin();
    std::advance(chosen,
                 static_cast<std::ptrdiff_t>(static_cast<unsigned char>(step[0]) % disk.files.size()));
    std::string& bytes = *chosen->second;
    if (bytes.empty()) {
        return false;
    }
    const bool is_log = chosen->first.ends_with(".log");
    const std::size_t at = get<std::uint32_t>(step + 2) % bytes.size();
    const auto value = get<std::uint16_t>(step + 6);
    switch (static_cast<unsigned char>(step[1]) % 5) {
    case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << (value % 8)));
        return false;
    case 1:
        bytes.resize(at);
        return false;
    case 2:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    std::min<std::size_t>(value, bytes.size() - at), '\0');
        return false;
    case 3:
        disk.files.erase(chosen);
        return false;
    default: { // a field of a frame or mark, with its checksums
        const std::size_t start = is_log ? header_area_bytes : marks_header_bytes;
        const std::size_t place = start + (at & ~std::size_t{7});
        const std::size_t field = place + value % 32;
        if (field < bytes.size()) {
            bytes[field] = static_cast<char>(value >> 8);
            make_right(bytes, place, good.salt, !is_log);
        }
        return true;
    }
    }
}

void look_through(store& opened, const good_directory& good, bool forged) {
    for (std::uint8_t lane = 0; lane < max_lanes; ++lane) {
        sequence from = 0;
        for (;;) {
            const auto got = opened.read(lane, from, 10, 1 << 20);
            LINKRUNNER_INVARIANT(got.has_value());
            for (const stored_event& each : got->events) {
                LINKRUNNER_INVARIANT(forged || good.bodies.contains(each.body));
            }
            if (got->at_end) {
                break;
            }
            LINKRUNNER_INVARIANT(got->next > from);
            from = got->next;
        }
    }
    const ledger all = opened.status().events;
    LINKRUNNER_INVARIANT(all.accepted ==
                         all.delivered + all.handed_off + all.dead + all.dropped + all.lost + all.pending);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const good_directory good;
    test::memory_disk disk;
    for (const auto& [path, bytes] : good.files) {
        disk.files[path] = std::make_shared<std::string>(bytes);
    }
    bool forged = false;
    const auto* steps = reinterpret_cast<const char*>(data);
    for (std::size_t at = 0; at + 8 <= std::min<std::size_t>(size, 256) && !disk.files.empty(); at += 8) {
        forged = change(disk, good, steps + at) || forged;
    }
    test::virtual_clock time;
    seeded_random random(2);
    auto first = open(disk, time, random);
    if (!first) {
        return 0; // a newer version
    }
    const ledger before = first->status().events;
    first.reset();
    auto second = open(disk, time, random);
    LINKRUNNER_INVARIANT(second != nullptr);
    LINKRUNNER_INVARIANT(second->status().events.pending == before.pending);
    look_through(*second, good, forged);
    append(*second, "one more");
    LINKRUNNER_INVARIANT(second->status().refusing == refusal::none);
    return 0;
}
