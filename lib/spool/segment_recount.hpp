// Counts one segment once more, from its files alone: every frame and every mark is read and checked, and
// nothing that is known in memory is believed. In steps, so that the disk thread can do other work in
// between. Changes nothing.
#pragma once

#include "env/disk.hpp"
#include "spool/frame_reader.hpp"
#include "spool/mark_reader.hpp"
#include "spool/segment.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::spool {

// A place in a file that does not read as it was written.
struct damage {
    std::string file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0; // 0: not known
    std::string what;        // in words
};

class segment_recount {
  public:
    struct request {
        segment_header header;
        std::string directory;
        std::uint32_t salt = 0;
        sequence limit = 0; // first number of the next segment; 0: there is none
        // The file grows while it is read: what follows its last whole frame is being written.
        bool growing = false;
    };

    // Errors: the file cannot be opened.
    static result<std::unique_ptr<segment_recount>> begin(disk& files, const request& what);

    // Reads about so many bytes of frames. False when there are no more.
    bool step(std::uint64_t bytes);

    // The marks of mark frames, to be followed by those of the marks files, in the order of their making.
    void apply_embedded();
    void apply(const mark_view& view);
    // The marks files of this segment, of these generations. Notes the damage in them.
    result<void> apply_marks_files(std::uint32_t oldest, std::uint32_t newest);

    // To be called when all marks were applied: decides which gaps are damage. `end`: numbers before it were
    // accepted, as far as is known; 0: nothing is known.
    void settle(sequence end);

    const segment& table() const noexcept { return table_; }
    sequence frames_end() const noexcept { return frames_end_; } // one past the last number with a frame
    std::uint64_t frames() const noexcept { return frames_; }
    std::uint64_t marks() const noexcept { return marks_; }
    const std::vector<damage>& damaged() const noexcept { return damaged_; }
    std::uint64_t torn_bytes() const noexcept { return torn_bytes_; } // of a group at the end, not answered

  private:
    segment_recount(disk& files, const request& what, std::unique_ptr<disk_file> file, std::uint64_t size);

    struct gap {
        frame_reader::damage where;
        sequence from = 0; // numbers without a frame
        sequence to = 0;
    };

    void take(const frame_reader::found& frame);
    void apply_marks_file(const std::string& name, disk_file& file);
    void look_behind_the_last_frame();
    bool anything_lost(const gap& one) const;
    void note(std::string file, std::uint64_t offset, std::uint64_t bytes, std::string what);

    disk& disk_;
    request request_;
    std::string buffer_;
    std::unique_ptr<disk_file> file_;
    std::uint64_t size_;
    frame_reader reader_;
    segment table_;
    std::string embedded_;
    std::vector<gap> gaps_;
    std::vector<damage> damaged_;
    sequence frames_end_;
    std::uint64_t frames_ = 0;
    std::uint64_t marks_ = 0;
    std::uint64_t torn_bytes_ = 0;
};

} // namespace linkrunner::spool
