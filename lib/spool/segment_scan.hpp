// Reads a whole segment file into its table (FORMAT.md, "What a reader does"). Changes nothing on disk.
#pragma once

#include "env/disk.hpp"
#include "spool/frame_reader.hpp"
#include "spool/mark.hpp"
#include "spool/segment.hpp"

#include <functional>
#include <string>
#include <vector>

namespace linkrunner::spool {

// Numbers without a frame: [from, to).
struct hole {
    sequence from = 0;
    sequence to = 0;
    std::uint64_t offset = 0;
    // A whole sector of it was never written: the group was torn by a crash, unless it is known to have been
    // committed. JSON has no zero bytes, so damage does not look like this.
    bool torn = false;
};

struct scan_result {
    sequence committed = 0; // every number before this one is known to have been committed
    std::vector<hole> holes;
    std::uint64_t torn_bytes = 0; // after the last frame that counts
    bool refused_frames = false;  // frames of a group that was refused (numbers of the next segment)
    std::vector<std::string> findings;
};

struct scan_request {
    std::string name;       // for findings
    sequence limit = 0;     // first number of the next segment; 0: there is none
    std::uint64_t size = 0; // of the file
    std::uint32_t salt = 0;
    // Told of each event's identity, in order.
    std::function<void(sequence, const event_head&)> identity;
    std::function<void(std::string_view)> mark; // records of mark frames
};

// Fills `into`, whose header is known and which holds no events yet; holes become lost events.
scan_result scan_segment(disk_file& file, segment& into, const scan_request& request, std::string& buffer);

} // namespace linkrunner::spool
