// The names of the files in a spool directory (FORMAT.md, "Files"). Numbers are padded, so that names sort.
#pragma once

#include "spool/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::spool {

enum class file_kind : std::uint8_t {
    segment,    // <first>.log
    marks,      // <first>.<generation>.marks
    identities, // <first>.ids: of a retired segment, as long as they are in the window
    unfinished, // *.tmp: never renamed into place, removed at start
    reserve,    // room for a full disk
    other,      // lock, *.bad and what is not ours: counted, left alone
};

struct file_name {
    file_kind kind = file_kind::other;
    sequence first = 0;
    std::uint32_t generation = 0; // of marks
};

file_name parse_file_name(std::string_view name);

std::string segment_name(sequence first);
std::string marks_name(sequence first, std::uint32_t generation);
std::string identities_name(sequence first);
std::string reserve_name();

} // namespace linkrunner::spool
