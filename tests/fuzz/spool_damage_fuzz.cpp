// Damage of any kind to a spool directory: inspection, repair and recovery must get through it, the ledger
// must hold, and no event may come out that was not put in. The input is a list of blows: which file, where,
// how.
#include "base/hash.hpp"
#include "spool/salvage.hpp"
#include "spool/store.hpp"
#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <cstdlib>
#include <iterator>
#include <set>
#include <span>

namespace {

using namespace linkrunner;
using namespace linkrunner::spool;

struct world {
    test::memory_disk disk;
    test::virtual_clock clock;
    seeded_random random{7};
    settings options;

    world() {
        options.directory = "/spool";
        options.segment_bytes = 16 << 10;
    }
};

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::string body_of(int number) {
    return R"({"event_name":"e","event_id":"id-)" + std::to_string(number) + R"(","pad":")" +
           std::string(static_cast<std::size_t>(number) * 17 % 900, 'x') + "\"}";
}

// Sixty events over several segments, some of them compacted, with every kind of mark.
std::map<std::string, std::string> whole_directory() {
    world made;
    recovery_report report;
    auto opened = store::open(made.options, made.disk, made.clock, made.random, report);
    for (int number = 1; number <= 60; ++number) {
        std::vector<append_job> jobs(1);
        new_event& one = jobs[0].events.emplace_back();
        one.accepted_at = made.clock.wall();
        one.name = "e";
        one.event_id = "id-" + std::to_string(number);
        one.body = body_of(number);
        one.identity = hash128(1, {one.event_id});
        (*opened)->commit(jobs, {});
    }
    std::vector<mark_job> jobs(1);
    for (sequence number = 1; number <= 58; ++number) {
        mark& one = jobs[0].marks.emplace_back();
        one.number = number;
        one.kind = number % 7 == 0    ? mark_kind::dead
                   : number % 11 == 0 ? mark_kind::sending
                                      : mark_kind::delivered;
        one.letter.excerpt = "why";
        one.letter.attempts = 1;
    }
    (*opened)->commit({}, jobs);
    for (int second = 0; second < 5; ++second) {
        made.clock.advance_to(made.clock.steady() + std::chrono::seconds(1));
        (*opened)->maintain();
    }
    opened->reset();
    std::map<std::string, std::string> out;
    for (const auto& [path, content] : made.disk.files) {
        out[path] = *content;
    }
    return out;
}

void strike(test::memory_disk& disk, std::span<const std::uint8_t> input) {
    while (input.size() >= 6 && !disk.files.empty()) {
        auto victim = disk.files.begin();
        std::advance(victim, static_cast<std::ptrdiff_t>(input[0] % disk.files.size()));
        std::string& bytes = *victim->second;
        const std::size_t at = bytes.empty() ? 0 : (std::size_t{input[1]} << 8 | input[2]) % bytes.size();
        const std::size_t length = std::min<std::size_t>(bytes.size() - at, input[3] * 40u);
        switch (input[4] % 6) {
        case 0:
            if (!bytes.empty()) {
                bytes[at] = static_cast<char>(bytes[at] ^ input[5]);
            }
            break;
        case 1:
            bytes.replace(at, length, length, static_cast<char>(input[5]));
            break;
        case 2:
            bytes.resize(at);
            break;
        case 3:
            bytes.erase(at, length);
            break;
        case 4:
            bytes.insert(at, bytes.substr(at / 2, length));
            break;
        default:
            disk.files.erase(victim);
        }
        input = input.subspan(6);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::map<std::string, std::string> whole = whole_directory();
    world now;
    for (const auto& [path, content] : whole) {
        now.disk.files[path] = std::make_shared<std::string>(content);
    }
    strike(now.disk, std::span(data, size));
    const auto done = salvage(now.options, "/clean", now.disk, now.clock, now.random);
    if (!done) { // "of a newer version", which a flipped bit can only say with a checksum that fits
        std::fprintf(stderr, "%s\n", done.error().message.c_str());
        std::abort();
    }
    require(imbalance(done->source.events) == 0 && imbalance(done->copy.events) == 0);
    for (const char* directory : {"/clean", "/spool"}) {
        now.options.directory = directory;
        recovery_report report;
        auto opened = store::open(now.options, now.disk, now.clock, now.random, report);
        require(opened.has_value());
        require(imbalance((*opened)->status().events) == 0);
        const auto got = (*opened)->read(0, 0, 1000, 1 << 30);
        require(got.has_value());
        for (const stored_event& each : got->events) {
            require(each.number >= 1 && each.number <= 60 &&
                    each.body == body_of(static_cast<int>(each.number)));
        }
    }
    return 0;
}
