#include "spool/inspection.hpp"

#include "spool/file_names.hpp"
#include "spool/header.hpp"
#include "spool/identity_file.hpp"
#include "spool/recovery.hpp"
#include "spool/shadow_disk.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::uint64_t at_once = std::uint64_t{1} << 30;
constexpr int most_tries = 5; // while a daemon makes and removes files

class look {
  public:
    look(const settings& options, disk& files, const clock& time)
        : options_(options), disk_(files), shadow_(files), clock_(time) {}

    result<inspection> run(bool in_use) {
        auto names = disk_.list(options_.directory);
        if (!names) {
            return names.error();
        }
        names_ = std::move(*names);
        std::ranges::sort(names_);
        if (in_use) {
            freeze_marks();
        }
        seeded_random random(1); // for the seed of an empty directory, which goes nowhere
        recovery_report report;
        auto log = recovery(options_, shadow_, clock_, random, report).run();
        if (!log) {
            return log.error();
        }
        look_at_segments(*log, report);
        run_audit(*log);
        look_at_headers(*log);
        look_at_the_rest();
        return std::move(out_);
    }

    // Whether files came or went meanwhile.
    bool moved() {
        auto now = disk_.list(options_.directory);
        if (now) {
            std::ranges::sort(*now);
        }
        return !now || *now != names_;
    }

  private:
    // Of the newest segments, where marks may come of events whose frames were not there yet when read.
    void freeze_marks() {
        std::map<sequence, std::vector<std::string>> marks;
        for (const std::string& name : names_) {
            const file_name parsed = parse_file_name(name);
            if (parsed.kind == file_kind::marks) {
                marks[parsed.first].push_back(name);
            }
        }
        int segments = 0;
        for (auto each = marks.rbegin(); each != marks.rend() && segments < 2; ++each, ++segments) {
            for (const std::string& name : each->second) {
                (void)shadow_.freeze(path(name)); // gone by now: then moved() says so
            }
        }
    }

    void look_at_segments(const log_state& log, const recovery_report& report) {
        tally sum = log.totals.events;
        for (const auto& [first, one] : log.segments) {
            const tally here = one->sum();
            sum.add(here);
            segment_facts facts;
            facts.name = segment_name(first);
            facts.first = first;
            facts.last = one->next() - 1;
            facts.bytes = one->file_bytes;
            facts.marks_bytes = one->marks.bytes();
            facts.sparse = one->header.sparse;
            facts.pending = one->pending();
            facts.dead = one->count(event_state::dead);
            facts.ended = here.delivered + here.handed_off + here.dropped;
            facts.lost = here.lost;
            out_.segments.push_back(std::move(facts));
            out_.events.pending += one->pending();
            out_.events.dead += one->count(event_state::dead);
            for (std::size_t lane = 0; lane < max_lanes; ++lane) {
                out_.pending_by_lane[lane] += one->pending(static_cast<int>(lane));
            }
        }
        out_.events.accepted = sum.accepted;
        out_.events.delivered = sum.delivered;
        out_.events.handed_off = sum.handed_off;
        out_.events.dropped = sum.dropped;
        out_.events.lost = sum.lost;
        out_.next = log.next;
        if (report.torn_bytes > 0) {
            out_.notes.push_back(std::to_string(report.torn_bytes) +
                                 " bytes at the end belong to a group that was never answered; a start cuts "
                                 "them off");
        }
    }

    void run_audit(const log_state& log) {
        audit count(shadow_, options_.directory);
        while (count.step(log, out_.events, at_once)) {
        }
        out_.audit = count.take();
        out_.damaged = out_.audit.damaged;
    }

    void look_at_headers(const log_state& log) {
        std::optional<retired_totals> newest;
        for (const std::string& name : names_) {
            const file_name parsed = parse_file_name(name);
            if (parsed.kind != file_kind::segment) {
                continue;
            }
            if (std::ranges::find(log.totals.leaving, parsed.first) != log.totals.leaving.end()) {
                out_.notes.push_back(name + " is finished and counted; a start removes it");
                continue;
            }
            if (std::ranges::find(log.superseded, name) != log.superseded.end()) {
                out_.notes.push_back(name + " was rewritten into the segment before it; a start removes it");
                continue;
            }
            const auto file = disk_.open(path(name), disk::mode::read);
            std::string area(header_area_bytes, '\0');
            if (!file || !(*file)->read_at(0, area)) {
                out_.damaged.push_back({name, 0, 0, file ? "cannot be read" : file.error().message});
                continue;
            }
            const auto header = decode_header(area);
            if (!log.segments.contains(parsed.first)) {
                out_.damaged.push_back(
                    {name, 0, header_area_bytes,
                     "the header is gone, and with it what its frames are read with; a start "
                     "sets the file aside as " +
                         name + ".bad"});
            } else if (!header || header->first != parsed.first) {
                out_.damaged.push_back({name, 0, header_area_bytes,
                                        header ? "the header is that of another segment"
                                               : "both copies of the header are damaged"});
            }
            auto totals = decode_totals(area);
            if (totals && (!newest || totals->generation > newest->generation)) {
                newest = std::move(totals);
            }
        }
        const std::uint64_t counted = newest ? newest->events.lost : 0;
        if (log.totals.events.lost > counted) {
            out_.damaged.push_back({options_.directory, 0, 0,
                                    std::to_string(log.totals.events.lost - counted) +
                                        " events are missing: their segment is gone, or its end"});
        }
    }

    void look_at_the_rest() {
        for (const std::string& name : names_) {
            const auto file = disk_.open(path(name), disk::mode::read);
            const auto size = file ? (*file)->size() : result<std::uint64_t>(file.error());
            out_.bytes += size ? *size : 0;
            const file_name parsed = parse_file_name(name);
            if (parsed.kind == file_kind::identities) {
                const auto content = read_whole(disk_, path(name));
                if (!content || !decode_identity_file(*content)) {
                    out_.damaged.push_back(
                        {name, 0, size ? *size : 0, "damaged: repeats of its events are not recognised"});
                }
            } else if (parsed.kind == file_kind::unfinished) {
                out_.notes.push_back(name + " was never finished; a start removes it");
            } else if (name.ends_with(".bad")) {
                out_.notes.push_back(name + " was set aside by an earlier start; linkrunnerd --repair reads "
                                            "what can be read of it");
            }
        }
    }

    std::string path(const std::string& name) const { return options_.directory + "/" + name; }

    const settings& options_;
    disk& disk_;
    shadow_disk shadow_;
    const clock& clock_;
    std::vector<std::string> names_;
    inspection out_;
};

} // namespace

result<inspection> inspect(const settings& options, disk& files, const clock& time, bool in_use) {
    for (int attempt = 1;; ++attempt) {
        look once(options, files, time);
        auto found = once.run(in_use);
        const bool settled = !in_use || (found && found->well()) || attempt == most_tries;
        if (!settled) {
            continue;
        }
        if (found && in_use && !found->well() && once.moved()) {
            found->notes.emplace_back("files came and went while they were read; look again when there is "
                                      "less to do");
        }
        return found;
    }
}

} // namespace linkrunner::spool
