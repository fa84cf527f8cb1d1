// Compaction: what a few events keep alive of segments that are otherwise done with is written together into
// one sparse segment, which takes the first one's place (FORMAT.md, "Compaction"). The survivors keep their
// numbers, so order stays, also after a restart. With it the directory stays within about twice what is
// pending or dead, plus a segment, whatever event is stuck at the front. Disk thread.
#pragma once

#include "env/disk.hpp"
#include "spool/log_state.hpp"
#include "spool/queue.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace linkrunner::spool {

// Neighbouring segments that together are at least twice as large as what lives in them; those that give back
// the most. Empty when there are none that are worth it.
std::vector<segment*> worth_compacting(const log_state& log, const settings& options);

std::uint64_t live_bytes(const std::vector<segment*>& parts);

struct compacted {
    std::unique_ptr<segment> made;
    std::vector<sequence> damaged; // events that could not be read any more: they count as lost
};

// Writes the file of the sparse segment and renames it into place. The parts' other files, and the marks of
// all of them, are then superseded, and are to be removed when the directory has been synced. After an error
// nothing has changed.
result<compacted> compact(disk& files, const std::string& directory, const log_state& log,
                          const std::vector<segment*>& parts, std::uint64_t id, wall_time now,
                          std::uint64_t marks_ahead_bytes);

} // namespace linkrunner::spool
