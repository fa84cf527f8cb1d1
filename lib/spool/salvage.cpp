#include "spool/salvage.hpp"

#include "spool/bytes.hpp"
#include "spool/clean_file.hpp"
#include "spool/file_names.hpp"
#include "spool/frame_reader.hpp"
#include "spool/mark_reader.hpp"
#include "spool/recovery.hpp"
#include "spool/set_aside.hpp"
#include "spool/shadow_disk.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::size_t chunk_bytes = 1 << 20;
constexpr std::uint32_t most_generations = 1000; // of marks files that are looked for

class copier {
  public:
    copier(const settings& source, const std::string& into, disk& files, const clock& time,
           random_source& random)
        : source_(source), into_(into), disk_(files), shadow_(files), clock_(time), random_(random) {}

    result<salvage_report> run() {
        auto done = prepare();
        if (!done) {
            return done.error();
        }
        auto log = recovery(source_, shadow_, clock_, random_, recovered_).run();
        if (!log) {
            return log.error();
        }
        totals_ = log->totals;
        totals_.leaving.clear();
        for (auto each = log->segments.begin(); done && each != log->segments.end(); ++each) {
            const auto following = std::next(each);
            done = copy_segment(*log, *each->second,
                                following == log->segments.end() ? log->next : following->first);
        }
        if (done) {
            done = read_set_aside(*log);
        }
        for (auto each = log->identity_files.begin(); done && each != log->identity_files.end(); ++each) {
            done = copy_identities(each->first);
        }
        if (done) {
            done = begin_next(*log);
        }
        if (done) {
            done = disk_.sync_directory(into_);
        }
        if (!done) {
            return done.error();
        }
        return look_again();
    }

  private:
    result<void> prepare() {
        auto found = inspect(source_, disk_, clock_, false);
        if (!found) {
            return found.error();
        }
        report_.source = std::move(*found);
        const auto names = disk_.list(into_);
        if (names && !names->empty()) {
            return make_error(std::errc::file_exists, into_ + " is not empty");
        }
        return disk_.make_directory(into_);
    }

    result<void> copy_segment(const log_state& log, const segment& one, sequence limit) {
        if (one.numbers() == 0 && one.first() == log.next) {
            return {};
        }
        if (one.unreadable) {
            count_unseen(one, one.first());
            return {};
        }
        segment_header header = one.header;
        header.version = format_version;
        while (header.id == 0) {
            header.id = random_.next();
        }
        auto file = clean_file::make(disk_, into_, segment_name(one.first()));
        if (!file) {
            return file.error();
        }
        file->add(encode_header_area(header, {}));
        auto end = copy_frames(one, limit, log.salt, *file);
        if (!end) {
            return end.error();
        }
        if (auto done = file->finish(); !done) {
            return done;
        }
        return copy_marks(one, header, limit, *end);
    }

    // Every intact frame, byte for byte. The answer is one past the last event's number.
    result<sequence> copy_frames(const segment& one, sequence limit, std::uint32_t salt, clean_file& to) {
        const auto file = shadow_.open(source_.directory + "/" + segment_name(one.first()), disk::mode::read);
        if (!file) {
            return file.error();
        }
        frame_reader reader(**file, header_area_bytes, one.end, salt, buffer_, chunk_bytes);
        sequence end = one.first();
        while (const auto frame = reader.next()) {
            const frame_head& head = frame->head;
            if (head.type == frame_type::event) {
                const bool in_order = head.number >= end && head.number < limit;
                if (!in_order || !decode_event(head, frame->frame)) {
                    continue;
                }
                end = head.number + 1;
            } else if (head.type == frame_type::mark && head.number < limit) {
                end = std::max(end, head.number + 1); // it tells of its event, of which the frame is lost
            }
            if (head.type != frame_type::closed) {
                to.add(frame->frame);
                to.add(std::string(head.padded_bytes() - head.length_bytes, '\0'));
            }
        }
        return end;
    }

    result<void> copy_marks(const segment& one, const segment_header& header, sequence limit, sequence end) {
        auto file = clean_file::make(disk_, into_, marks_name(one.first(), 0));
        if (!file) {
            return file.error();
        }
        file->add(encode_marks_header({header.id, header.hash_seed}));
        const auto read = one.marks.for_each([&](const mark_view& view) {
            file->add(view.record);
            if (view.number < limit) {
                end = std::max(end, view.number + 1); // a mark tells of its event without the frame as well
            }
        });
        if (!read) {
            report_.notes.push_back(segment_name(one.first()) + ": " + read.error().message);
        }
        count_unseen(one, end);
        return file->finish();
    }

    // Numbers that nothing in the copy tells of move to its totals.
    void count_unseen(const segment& one, sequence from) {
        if (one.header.sparse) {
            if (one.unreadable) {
                totals_.numbers += one.numbers();
                totals_.events.add(one.header.removed);
            }
            return; // its header tells of them
        }
        for (sequence number = from; number < one.next(); ++number) {
            ++totals_.numbers;
            if (one.state(number) == event_state::lost) {
                ++totals_.events.accepted;
                ++totals_.events.lost;
            }
        }
    }

    result<void> read_set_aside(const log_state& log) {
        const auto names = shadow_.list(source_.directory);
        if (!names) {
            return names.error();
        }
        constexpr std::string_view suffix = ".bad";
        for (const std::string& name : *names) {
            if (!name.ends_with(suffix)) {
                continue;
            }
            const file_name was =
                parse_file_name(std::string_view(name).substr(0, name.size() - suffix.size()));
            const auto file = shadow_.open(source_.directory + "/" + name, disk::mode::read);
            const auto salt = file ? find_salt(**file, was.first) : std::nullopt;
            if (was.kind != file_kind::segment || !salt) {
                report_.notes.push_back(name + ": nothing in it can be read");
                continue;
            }
            if (auto done = regain(log, name, was.first, **file, *salt); !done) {
                return done;
            }
        }
        return {};
    }

    // The events of a *.bad file, written anew with the checksums of this directory.
    result<void> regain(const log_state& log, const std::string& name, sequence first, disk_file& from,
                        std::uint32_t salt) {
        const auto following = log.segments.lower_bound(first);
        const sequence limit = following == log.segments.end() ? log.next : following->first;
        const bool taken = following != log.segments.begin() && std::prev(following)->second->next() > first;
        const auto size = from.size();
        if (taken || limit <= first || !size) {
            report_.notes.push_back(name + ": its numbers belong to another segment, so it was left out");
            return {};
        }
        segment_header header;
        header.first = first;
        header.hash_seed = log.hash_seed;
        header.id = random_.next();
        auto file = clean_file::make(disk_, into_, segment_name(first));
        if (!file) {
            return file.error();
        }
        file->add(encode_header_area(header, {}));
        frame_reader reader(from, header_area_bytes, *size, salt, buffer_, chunk_bytes);
        sequence end = first;
        std::uint64_t events = 0;
        std::string frame;
        while (const auto found = reader.next()) {
            const sequence number = found->head.number;
            if (found->head.type != frame_type::event || number < end || number >= limit) {
                continue;
            }
            if (const auto event = decode_event(found->head, found->frame)) {
                frame.clear();
                encode_event(frame, *event, number, 0, log.salt);
                file->add(frame);
                end = number + 1;
                ++events;
            }
        }
        if (auto done = file->finish(); !done) {
            return done;
        }
        if (auto done = regain_marks(header, salt, log.salt, end); !done) {
            return done;
        }
        report_.regained += events;
        report_.notes.push_back(name + ": " + std::to_string(events) +
                                " events regained; those whose marks are gone may have been sent before");
        uncount(end - first);
        return {};
    }

    result<void> regain_marks(const segment_header& header, std::uint32_t salt, std::uint32_t into,
                              sequence end) {
        auto file = clean_file::make(disk_, into_, marks_name(header.first, 0));
        if (!file) {
            return file.error();
        }
        file->add(encode_marks_header({header.id, header.hash_seed}));
        std::string record;
        std::string buffer;
        for (std::uint32_t generation = 0; generation < most_generations; ++generation) {
            const auto from =
                disk_.open(source_.directory + "/" + marks_name(header.first, generation), disk::mode::read);
            if (!from) {
                break;
            }
            mark_reader reader(**from, marks_header_bytes, salt, buffer);
            while (const auto view = reader.next()) {
                if (view->kind != void_mark && view->number < end) {
                    record.clear();
                    encode_mark(record, decode_whole_mark(*view), into);
                    file->add(record);
                }
            }
        }
        return file->finish();
    }

    // Numbers that were counted as lost and now stand in the copy again.
    void uncount(std::uint64_t numbers) {
        const std::uint64_t counted = std::min(numbers, totals_.events.lost);
        totals_.events.lost -= counted;
        totals_.events.accepted -= counted;
        totals_.numbers -= std::min(numbers, totals_.numbers);
    }

    result<void> copy_identities(sequence first) {
        auto content = read_whole(shadow_, source_.directory + "/" + identities_name(first));
        auto file = clean_file::make(disk_, into_, identities_name(first));
        if (!file) {
            return file.error();
        }
        if (content) {
            file->add(*content);
        }
        return file->finish();
    }

    // An empty segment where the next event goes, with the totals of all that is not in the copy.
    result<void> begin_next(const log_state& log) {
        segment_header header;
        header.first = log.next;
        header.hash_seed = log.hash_seed;
        header.id = random_.next();
        header.created_at = clock_.wall();
        ++totals_.generation;
        auto file = clean_file::make(disk_, into_, segment_name(header.first));
        if (!file) {
            return file.error();
        }
        file->add(encode_header_area(header, totals_));
        return file->finish();
    }

    result<salvage_report> look_again() {
        settings copied = source_;
        copied.directory = into_;
        auto found = inspect(copied, disk_, clock_, false);
        if (!found) {
            return found.error();
        }
        report_.copy = std::move(*found);
        if (!report_.copy.well() || report_.copy.next != report_.source.next) {
            return make_error(std::errc::io_error, into_ + " does not read as it was written: do not use it");
        }
        return std::move(report_);
    }

    const settings& source_;
    const std::string& into_;
    disk& disk_;
    shadow_disk shadow_;
    const clock& clock_;
    random_source& random_;
    recovery_report recovered_;
    retired_totals totals_;
    salvage_report report_;
    std::string buffer_;
};

} // namespace

result<salvage_report> salvage(const settings& source, const std::string& into, disk& files,
                               const clock& time, random_source& random) {
    return copier(source, into, files, time, random).run();
}

} // namespace linkrunner::spool
