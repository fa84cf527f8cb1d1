// The marks file of one segment, as a writer sees it. Marks wait in memory until they are written, and are
// kept until an fdatasync holds them: when one fails, the file is left as it is and all of them go to a new
// one of the next generation (all generations are read at start; marks are idempotent). Disk thread.
#pragma once

#include "base/error.hpp"
#include "env/disk.hpp"
#include "spool/mark_record.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linkrunner::spool {

class mark_log {
  public:
    // `ahead_bytes`: zeros are written so far ahead of the tail, so that most syncs change no metadata.
    mark_log(disk& files, std::string directory, sequence first, marks_header header,
             std::uint64_t ahead_bytes);

    // What recovery found: the newest generation, where its records end, its size, and that of the others.
    void resume(std::uint32_t generation, std::uint64_t end, std::uint64_t size_bytes,
                std::uint64_t others_bytes);

    // The header of the newest file was damaged: it is written once more.
    void repair_header() { header_lost_ = true; }

    // The files of this one will be those of a log that takes the place of `before`.
    void begin_after(const mark_log& before) { first_generation_ = generation_ = before.generation_ + 1; }

    void add(const mark& one) { encode_mark(waiting_, one, salt_); }
    void add(std::string_view records) { waiting_ += records; }

    // By how much the next write() makes the files grow.
    std::uint64_t growth() const noexcept;

    // Writes what waits. After a failure it waits on, and is tried again by the next call.
    result<void> write();

    // fdatasync, and the directory's entry of a new file. Writes first if something waits.
    result<void> sync();

    bool dirty() const noexcept { return !waiting_.empty() || !unsynced_.empty(); }
    // False for a file that recovery found: after kill -9 it may be in the page cache only.
    bool settled() const noexcept { return settled_; }
    bool open() const noexcept { return file_ != nullptr; }
    void close(); // not when dirty

    std::uint64_t bytes() const noexcept { return size_bytes_ + others_bytes_; }
    // The generations that may have files.
    std::uint32_t first_generation() const noexcept { return first_generation_; }
    std::uint32_t generation() const noexcept { return generation_; }
    bool exists() const noexcept { return exists_; }

    // The marks of this segment in order, from all generations and from memory.
    result<void> for_each(const std::function<void(const mark_view&)>& each) const;
    // Those of them that are not written yet.
    void for_each_waiting(const std::function<void(const mark_view&)>& each) const;

  private:
    result<void> prepare();
    result<void> open_file();
    void write_ahead();
    void abandon();
    std::string path(std::uint32_t generation) const;

    disk& disk_;
    std::string directory_;
    sequence first_;
    marks_header header_;
    std::uint32_t salt_;
    std::uint64_t ahead_bytes_;
    std::unique_ptr<disk_file> file_;
    std::uint32_t first_generation_ = 0;
    std::uint32_t generation_ = 0;
    bool settled_ = true;
    bool header_lost_ = false;
    bool exists_ = false;       // the file of generation_ is in the directory
    bool entry_synced_ = false; // and will be there after a crash
    std::uint64_t end_ = 0;
    std::uint64_t size_bytes_ = 0;
    std::uint64_t others_bytes_ = 0;
    std::string waiting_;  // not written
    std::string unsynced_; // written since the last sync
};

} // namespace linkrunner::spool
