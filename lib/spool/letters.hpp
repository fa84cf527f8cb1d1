// The letters of a segment's dead events, from its marks files, from memory, and from the mark frames of a
// segment that compaction wrote. Disk thread.
#pragma once

#include "env/disk.hpp"
#include "spool/segment.hpp"

#include <map>
#include <string>

namespace linkrunner::spool {

// By number. Events whose letter is damaged are left out. Errors: a file cannot be read.
result<std::map<sequence, dead_letter>> letters_of(disk& files, const std::string& directory,
                                                   std::uint32_t salt, const segment& of);

} // namespace linkrunner::spool
