// How far an input was sent: a small file beside it, replaced as a whole after each batch that was answered,
// so that an interrupted `send` goes on where it stopped. Failures are thrown as ctl::failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace linkrunner::ctl {

struct send_state {
    std::string key;            // of the input; event ids of events without one are made from it
    std::uint64_t line = 0;     // all up to it were answered
    std::uint64_t offset = 0;   // where it ends, uncompressed
    std::uint64_t accepted = 0; // events, since the input was begun
    std::uint64_t duplicates = 0;
    std::uint64_t filtered = 0;
    std::uint64_t rejected = 0;
    std::uint64_t reject_bytes = 0; // length of the reject file
    bool done = false;              // the whole input was sent

    bool operator==(const send_state&) const = default;
};

// Nothing where there is no such file.
std::optional<send_state> read_state(const std::string& file);
void write_state(const std::string& file, const send_state& state); // and syncs it

// A key that stays the same for one content at one place: from the path and the first line.
std::string key_for(const std::string& full_path, const std::string& first_line);

} // namespace linkrunner::ctl
