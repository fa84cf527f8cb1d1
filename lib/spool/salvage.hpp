// --repair: makes a clean spool directory of what can be read of another one. Events keep their numbers, and
// so their order and age, their lanes, event_ids and identities; marks and dead letters come along, and so do
// the totals of the ledger. Segments set aside as *.bad are read too. The source is not changed.
#pragma once

#include "env/clock.hpp"
#include "env/disk.hpp"
#include "env/random.hpp"
#include "spool/inspection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace linkrunner::spool {

struct salvage_report {
    inspection source;
    inspection copy;            // read again after it was written
    std::uint64_t regained = 0; // events out of *.bad files, that had been counted as lost
    std::vector<std::string> notes;
};

// `into` must not exist or be empty; nothing else may use either directory. Errors: the source cannot be read
// at all or is of a newer version; the copy cannot be written, or does not read as it should (then it must
// not be used).
result<salvage_report> salvage(const settings& source, const std::string& into, disk& files,
                               const clock& time, random_source& random);

} // namespace linkrunner::spool
