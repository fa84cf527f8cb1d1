// The audit of the ledger: every segment is counted once more from its files and compared, event by event,
// with the table in memory; the totals of retired segments with what the headers say; and the sum with the
// equation of spool::ledger. Works on a running store, in steps on the disk thread, and on what recovery made
// of a directory. Changes nothing.
#pragma once

#include "spool/log_state.hpp"
#include "spool/queue.hpp"
#include "spool/segment_recount.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace linkrunner::spool {

struct audit_report {
    ledger known;     // as it is kept
    ledger recounted; // from the files
    std::uint64_t segments = 0;
    std::uint64_t frames = 0; // events read and checked
    std::uint64_t marks = 0;
    std::vector<std::string> differences; // one line each; empty when all agrees
    std::vector<damage> damaged;          // counted as lost, or repaired by the other copy: no difference

    bool holds() const noexcept { return differences.empty(); }
};

// What is left over when the ends and the pending are taken from the accepted; 0 when it holds.
std::int64_t imbalance(const ledger& all) noexcept;
std::int64_t imbalance(const tally& all) noexcept;

class audit {
  public:
    audit(disk& files, std::string directory) : disk_(files), directory_(std::move(directory)) {}

    // Goes on by about so many bytes of frames. False when it is finished: then `known`, the ledger that is
    // kept at this moment, has been compared.
    bool step(const log_state& log, const ledger& known, std::uint64_t bytes);

    audit_report take() { return std::move(report_); }

  private:
    void finish_segment(const segment& live);
    void compare(const segment& live);
    void finish(const log_state& log, const ledger& known);
    void check_totals(const log_state& log);
    void differ(std::string text);

    disk& disk_;
    std::string directory_;
    std::unique_ptr<segment_recount> current_;
    std::uint64_t current_id_ = 0;
    sequence next_ = 0;                             // segments from here on are still to be counted
    std::array<std::int64_t, event_states> more_{}; // recounted less known, by state
    audit_report report_;
};

} // namespace linkrunner::spool
