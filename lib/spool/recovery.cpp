#include "spool/recovery.hpp"

#include "spool/bytes.hpp"
#include "spool/file_names.hpp"
#include "spool/identity_file.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {

// How many events a file seems to hold whose frames cannot be checked.
sequence count_unchecked(std::string_view content, sequence first) {
    sequence count = 0;
    for (std::uint64_t at = header_area_bytes; at + event_head_bytes <= content.size();) {
        const auto length = get<std::uint32_t>(content.data() + at + 8);
        if (get<std::uint64_t>(content.data() + at + 16) != first + count || length < event_head_bytes) {
            break;
        }
        ++count;
        at += round_up(length, 8);
    }
    return count;
}

} // namespace

std::uint64_t segment_ahead_bytes(const settings& options) noexcept {
    return std::clamp<std::uint64_t>(options.segment_bytes / 16, 4096, std::uint64_t{1} << 20);
}

std::uint64_t marks_ahead_bytes(const settings& options) noexcept {
    return std::clamp<std::uint64_t>(round_up(options.segment_bytes / 256, 4096), 4096, 64 << 10);
}

recovery::recovery(const settings& options, disk& files, const clock& time, random_source& random,
                   recovery_report& report)
    : options_(options), disk_(files), opened_at_(time.wall()), random_(random), report_(report),
      log_(identity_index(options.dedupe_max, options.dedupe_window)) {}

result<log_state> recovery::run() {
    if (auto done = list(); !done) {
        return done.error();
    }
    if (auto done = read_headers(); !done) {
        return done.error();
    }
    pass_leaving();
    pass_superseded();
    remove_orphans();
    scan_all();
    count_missing();
    report_.segments = log_.segments.size();
    for (const auto& [first, one] : log_.segments) {
        report_.pending += one->pending();
        report_.dead += one->count(event_state::dead);
        report_.lost += one->sum().lost;
    }
    report_.lost += log_.totals.events.lost;
    return std::move(log_);
}

std::uint64_t recovery::size_of(const std::string& name) {
    const auto file = disk_.open(path(name), disk::mode::read);
    if (!file) {
        return 0;
    }
    const auto size = (*file)->size();
    return size ? *size : 0;
}

result<void> recovery::list() {
    auto names = disk_.list(options_.directory);
    if (!names) {
        return names.error();
    }
    std::ranges::sort(*names);
    for (const std::string& name : *names) {
        const file_name parsed = parse_file_name(name);
        switch (parsed.kind) {
        case file_kind::segment:
            segment_files_.push_back(parsed.first);
            break;
        case file_kind::marks:
            marks_files_[parsed.first].push_back({parsed.generation, size_of(name)});
            break;
        case file_kind::identities:
            identity_files_.push_back(parsed.first);
            break;
        case file_kind::unfinished:
            (void)disk_.remove(path(name));
            break;
        case file_kind::reserve:
            log_.reserve_bytes = size_of(name);
            break;
        case file_kind::other:
            log_.other_bytes += size_of(name);
            break;
        }
    }
    for (auto& [first, generations] : marks_files_) {
        std::ranges::sort(generations, {}, &marks_file::generation);
    }
    return {};
}

result<void> recovery::read_headers() {
    for (const sequence first : segment_files_) {
        if (auto done = read_header(first); !done) {
            return done;
        }
    }
    if (log_.hash_seed == 0) {
        for (const auto& [first, generations] : marks_files_) { // a third copy, should all headers be damaged
            const auto content = read_whole(disk_, path(marks_name(first, generations.back().generation)));
            const auto header = content ? decode_marks_header(*content) : std::nullopt;
            log_.hash_seed = header ? header->hash_seed : log_.hash_seed;
        }
    }
    const bool known = log_.hash_seed != 0;
    while (log_.hash_seed == 0) {
        log_.hash_seed = random_.next();
    }
    log_.salt = salt_of(log_.hash_seed);
    for (const sequence first : segment_files_) {
        if (headers_.contains(first)) {
            continue;
        }
        if (!known) {
            set_aside(first, "header damaged, and no other file says how to read its frames");
            continue;
        }
        segment_header header;
        header.first = first;
        header.hash_seed = log_.hash_seed;
        headers_.emplace(first, header);
        finding(segment_name(first) + ": header damaged; its frames are read all the same");
    }
    return {};
}

result<void> recovery::read_header(sequence first) {
    const std::string name = segment_name(first);
    const auto file = disk_.open(path(name), disk::mode::read);
    std::string area(header_area_bytes, '\0');
    const auto got = file ? (*file)->read_at(0, area) : result<std::size_t>(file.error());
    if (!got) {
        finding(name + ": " + got.error().message);
        return {};
    }
    area.resize(*got);
    auto totals = decode_totals(area);
    if (totals && totals->generation >= log_.totals.generation) {
        log_.totals = std::move(*totals);
    }
    auto header = decode_header(area);
    if (!header) {
        return {};
    }
    if (header->version > format_version) {
        return make_error(std::errc::not_supported,
                          path(name) + ": written by a newer linkrunnerd (format " +
                              std::to_string(header->version) + "); this one reads format " +
                              std::to_string(format_version) + " and older. Nothing was changed");
    }
    if (header->first != first) {
        return {}; // renamed by hand: what it says about numbers cannot be trusted
    }
    log_.hash_seed = header->hash_seed;
    headers_.emplace(first, *header);
    return {};
}

void recovery::set_aside(sequence first, const std::string& why) {
    const std::string name = segment_name(first);
    const auto content = read_whole(disk_, path(name));
    const auto moved = disk_.rename(path(name), path(name + ".bad"));
    if (moved) {
        (void)disk_.sync_directory(options_.directory);
    }
    finding(name + ": set aside as " + name + ".bad: " + why +
            (moved ? std::string() : " (" + moved.error().message + ")"));
    if (content) {
        log_.other_bytes += content->size();
        log_.next = std::max(log_.next, first + count_unchecked(*content, first));
    }
    set_aside_ = first;
}

void recovery::scan_all() {
    for (auto each = headers_.begin(); each != headers_.end(); ++each) {
        const auto following = std::next(each);
        const bool newest = following == headers_.end();
        load_identities(each->first);
        const segment_header& header = each->second;
        auto one =
            std::make_unique<segment>(header,
                                      mark_log(disk_, options_.directory, header.first,
                                               {header.id, log_.hash_seed}, marks_ahead_bytes(options_)),
                                      options_.last_lane);
        one->sealed = true;
        scan_one(*one, newest ? 0 : following->first, newest);
        log_.next = std::max(log_.next, one->next());
        log_.segments.emplace(header.first, std::move(one));
    }
    load_identities(~sequence{0});
    log_.next = std::max(log_.next, log_.totals.numbers + 1);
    if (!late_identities_.empty()) {
        log_.identities.merge(std::move(late_identities_));
    }
    log_.identities.expire(opened_at_);
    log_.identities.make_table();
}

void recovery::scan_one(segment& one, sequence limit, bool newest) {
    scan_request request;
    request.name = segment_name(one.first());
    request.limit = limit;
    request.salt = log_.salt;
    request.identity = [this](sequence number, const event_head& about) {
        add_identity(number,
                     identity_index::make(about.identity, about.body_hash, number, about.accepted_at));
    };
    marked_ = 0;
    std::string embedded; // marks of a compacted segment: they come after those that it replaced
    request.mark = [&embedded](std::string_view record) { embedded += record; };

    const auto file = disk_.open(path(request.name), disk::mode::read);
    const auto size = file ? (*file)->size() : result<std::uint64_t>(file.error());
    if (!size) {
        pass_over(one, limit, size.error());
        return;
    }
    request.size = *size;
    one.file_bytes = *size;
    auto scanned = scan_segment(**file, one, request, buffer_);
    one.needs_cut = scanned.refused_frames;
    for (std::string& text : scanned.findings) {
        finding(std::move(text));
    }
    scan_marks(embedded, log_.salt, [&](const mark_view& view) { apply_mark(one, view); });
    load_marks(one);
    if (one.header.sparse) {
        one.settle_missing();
    }
    if (newest && !one.header.sparse) { // that one was whole before it had its name
        settle_newest(one, scanned);
    }
    one.reserve_exact();
}

// A segment that is there and cannot be opened: its events count as lost as long as that lasts.
void recovery::pass_over(segment& one, sequence limit, const error& why) {
    one.unreadable = true;
    finding(segment_name(one.first()) + ": " + why.message);
    if (one.header.sparse) {
        one.settle_missing();
    } else if (limit != 0) {
        one.add_gap(std::min(limit, one.first() + max_gap), event_state::lost);
    } else {
        skip_numbers(one.first() + max_gap);
    }
}

// Numbers up to this one may have been given out: they are not given out again, and are no loss.
void recovery::skip_numbers(sequence up_to) {
    if (up_to > log_.next) {
        log_.totals.numbers += up_to - log_.next;
        ++log_.totals.generation;
        log_.next = up_to;
    }
}

// The newest segment may end in a torn group, and what is in the page cache only must not count as stored.
void recovery::settle_newest(segment& one, scan_result& scanned) {
    scanned.committed = std::max(scanned.committed, marked_);
    settle_holes(one, scanned);
    one.add_gap(scanned.committed, event_state::lost);
    report_.torn_bytes = scanned.torn_bytes;
    const std::string name = segment_name(one.first());
    if (scanned.torn_bytes > 0) {
        finding(name + ": offset " + std::to_string(one.end) + ": " + std::to_string(scanned.torn_bytes) +
                " bytes of a group that was never answered cut off");
    }
    auto file = disk_.open(path(name), disk::mode::read_write);
    if (!file) {
        finding(name + ": " + file.error().message);
        return;
    }
    auto done = one.end < one.file_bytes ? (*file)->truncate(one.end) : result<void>{};
    if (done) {
        one.file_bytes = std::min(one.file_bytes, one.end);
    } else {
        one.needs_cut = true;
    }
    auto synced = (*file)->sync();
    if (synced && one.marks.dirty()) {
        synced = one.marks.sync();
    }
    if (!done || !synced) {
        finding(name + ": " + (done ? synced : done).error().message);
    }
}

void recovery::add_identity(sequence number, const identity_index::entry& one) {
    if (identity_index::time_of(one) < opened_at_ - options_.dedupe_window) {
        return;
    }
    if (number > log_.identities.newest()) {
        log_.identities.load(one, number);
    } else { // of a compacted segment, or an identities file beside it
        late_identities_.emplace_back(number, one);
    }
}

void recovery::load_identities(sequence before) {
    while (!identity_files_.empty() && identity_files_.front() < before) {
        const sequence first = identity_files_.front();
        identity_files_.erase(identity_files_.begin());
        const std::string name = identities_name(first);
        const auto content = read_whole(disk_, path(name));
        const auto file = content ? decode_identity_file(*content) : std::nullopt;
        if (!file) {
            finding(name + ": damaged; repeats of its events will not be recognised");
            (void)disk_.remove(path(name));
            continue;
        }
        for (const auto& one : file->entries) {
            add_identity(identity_index::widen(one.number_low, file->first), one);
        }
        log_.identity_files.emplace(first, retained_identities{file->last, content->size()});
        log_.next = std::max(log_.next, file->last);
    }
}

// Numbers have no gaps: what neither stands in a segment nor was retired is lost.
void recovery::count_missing() {
    std::uint64_t known = log_.totals.numbers;
    for (const auto& [first, one] : log_.segments) {
        known += one->numbers();
    }
    const std::uint64_t given_out = log_.next - 1;
    if (set_aside_ != 0 && headers_.upper_bound(set_aside_) == headers_.end()) {
        skip_numbers(set_aside_ + max_gap); // the newest was set aside: its end is not known for sure
    }
    if (known >= given_out) {
        return;
    }
    const std::uint64_t missing = given_out - known;
    log_.totals.events.accepted += missing;
    log_.totals.events.lost += missing;
    log_.totals.numbers += missing;
    ++log_.totals.generation;
    finding(std::to_string(missing) + " events are missing: their segment is gone, or its end");
}

// Holes of a group that was never answered are not losses; a durable mark says so from now on.
void recovery::settle_holes(segment& one, const scan_result& scanned) {
    std::string voids;
    for (const hole& each : scanned.holes) {
        if (!each.torn) {
            continue;
        }
        for (sequence number = each.from; number < each.to; ++number) {
            if (number >= scanned.committed && one.state(number) == event_state::lost) {
                one.set_state(number, event_state::absent);
                encode_void(voids, number, log_.salt);
            }
        }
    }
    if (!voids.empty()) {
        one.marks.add(voids);
        finding(segment_name(one.first()) + ": a torn group that was never answered; its whole frames count");
    }
}

} // namespace linkrunner::spool
