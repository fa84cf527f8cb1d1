#include "spool_report.hpp"

#include <cstdarg>
#include <cstdio>

namespace linkrunner::daemon {

namespace {

[[gnu::format(printf, 2, 3)]] void add(std::string& out, const char* format, ...) {
    char line[512];
    va_list values;
    va_start(values, format);
    const int length = std::vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (length > 0) {
        out.append(line, std::min(static_cast<std::size_t>(length), sizeof line - 1));
    }
}

std::string numbers(const spool::segment_facts& facts) {
    if (facts.last < facts.first) {
        return std::to_string(facts.first) + ", empty";
    }
    return std::to_string(facts.first) + " to " + std::to_string(facts.last) +
           (facts.sparse ? ", rewritten" : "");
}

} // namespace

std::string describe(const spool::inspection& found, const config::settings& settings) {
    std::string out;
    add(out, "  %-28s %-26s %10s %9s %9s %9s %6s %6s\n", "segment", "events", "bytes", "marks", "pending",
        "ended", "dead", "lost");
    for (const spool::segment_facts& each : found.segments) {
        add(out, "  %-28s %-26s %10llu %9llu %9llu %9llu %6llu %6llu\n", each.name.c_str(),
            numbers(each).c_str(), static_cast<unsigned long long>(each.bytes),
            static_cast<unsigned long long>(each.marks_bytes), static_cast<unsigned long long>(each.pending),
            static_cast<unsigned long long>(each.ended), static_cast<unsigned long long>(each.dead),
            static_cast<unsigned long long>(each.lost));
    }
    for (std::size_t lane = 0; lane < found.pending_by_lane.size(); ++lane) {
        const std::uint64_t pending = found.pending_by_lane[lane];
        if (lane < settings.delivery.lanes.size()) {
            out += "  pending in lane " + settings.delivery.lanes[lane].name + ": " +
                   std::to_string(pending) + "\n";
        } else if (pending > 0) {
            out += "  pending in lane number " + std::to_string(lane) +
                   ", which the configuration does not have, so not delivered: " + std::to_string(pending) +
                   "\n";
        }
    }
    out += "  dead letters: " + std::to_string(found.events.dead) + "\n";
    out += "  ledger: " + describe(found.events) + "\n";
    out += "  bytes: " + std::to_string(found.bytes) + " of " + std::to_string(settings.spool.max_bytes) +
           " (spool.max_bytes)\n";
    out += "  read and checked: " + std::to_string(found.audit.frames) + " events and " +
           std::to_string(found.audit.marks) + " marks in " + std::to_string(found.audit.segments) +
           " segments\n";
    for (const std::string& note : found.notes) {
        out += "  note: " + note + "\n";
    }
    return out;
}

std::string describe(const spool::ledger& all) {
    const auto text = [](std::uint64_t value) { return std::to_string(value); };
    return "accepted " + text(all.accepted) + (spool::imbalance(all) == 0 ? " = " : " != ") + "delivered " +
           text(all.delivered) + " + handed off " + text(all.handed_off) + " + dead " + text(all.dead) +
           " + dropped " + text(all.dropped) + " + lost " + text(all.lost) + " + pending " +
           text(all.pending);
}

std::string describe(const spool::damage& place) {
    std::string out = place.file;
    if (place.offset != 0 || place.bytes != 0) {
        out += ", offset " + std::to_string(place.offset);
    }
    if (place.bytes != 0) {
        out += ", " + std::to_string(place.bytes) + " bytes";
    }
    return out + ": " + place.what;
}

} // namespace linkrunner::daemon
