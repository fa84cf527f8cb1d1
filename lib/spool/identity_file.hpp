// <first>.ids: the identities of a retired segment that are still in the window (FORMAT.md, "Identities").
#pragma once

#include "base/error.hpp"
#include "env/disk.hpp"
#include "spool/identity_index.hpp"

#include <string>
#include <vector>

namespace linkrunner::spool {

struct identity_file {
    sequence first = 0;
    sequence last = 0; // one past
    std::vector<identity_index::entry> entries;
};

std::string encode_identity_file(const identity_file& content);

// Nothing when the content is damaged in any way: a repeat is then not recognised.
std::optional<identity_file> decode_identity_file(std::string_view bytes);

} // namespace linkrunner::spool
