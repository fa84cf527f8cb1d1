// From the files of a spool directory to the log in memory (FORMAT.md, "Start"). Runs once, at start, on the
// thread that opens; the directory is locked.
#pragma once

#include "env/clock.hpp"
#include "env/disk.hpp"
#include "env/random.hpp"
#include "spool/log_state.hpp"
#include "spool/queue.hpp"
#include "spool/segment_scan.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::spool {

// Zeros are kept written so far ahead of the tails of segments and marks files.
std::uint64_t segment_ahead_bytes(const settings& options) noexcept;
std::uint64_t marks_ahead_bytes(const settings& options) noexcept;

class recovery {
  public:
    recovery(const settings& options, disk& files, const clock& time, random_source& random,
             recovery_report& report);

    // Errors: the directory cannot be listed; a segment was written by a newer version (errc::not_supported).
    // Damage is not an error: it is counted and reported.
    result<log_state> run();

  private:
    // More numbers than a segment can hold events.
    static constexpr sequence max_gap = std::uint64_t{1} << 26;

    struct marks_file {
        std::uint32_t generation = 0;
        std::uint64_t bytes = 0;
    };

    result<void> list();
    result<void> read_headers();
    result<void> read_header(sequence first);
    void set_aside(sequence first, const std::string& why);
    void pass_leaving();
    void scan_all();
    void scan_one(segment& one, sequence limit, bool newest);
    void pass_over(segment& one, sequence limit, const error& why);
    void skip_numbers(sequence up_to);
    void load_marks(segment& one);
    void apply_mark(segment& one, const mark_view& view);
    void settle_newest(segment& one, scan_result& scanned);
    void settle_holes(segment& one, const scan_result& scanned);
    void add_identity(sequence number, const identity_index::entry& one);
    void load_identities(sequence before);
    void count_missing();
    void pass_superseded();
    void pass_marks(sequence first, const std::function<bool(const std::optional<marks_header>&)>& such);
    void remove_orphans();
    void finding(std::string text) { report_.findings.push_back(std::move(text)); }
    std::string path(const std::string& name) const { return options_.directory + "/" + name; }
    std::uint64_t size_of(const std::string& name);
    std::optional<marks_header> header_of_marks(const std::string& name);

    const settings& options_;
    disk& disk_;
    const wall_time opened_at_;
    random_source& random_;
    recovery_report& report_;
    log_state log_;
    std::map<sequence, std::vector<marks_file>> marks_files_;
    std::vector<sequence> segment_files_;
    std::vector<sequence> identity_files_;
    std::map<sequence, segment_header> headers_;
    sequence marked_ = 0;    // one past the highest number with a mark, of the segment being scanned
    sequence set_aside_ = 0; // first number of the newest segment that was set aside
    std::vector<std::pair<sequence, identity_index::entry>> late_identities_;
    std::string buffer_;
};

} // namespace linkrunner::spool
