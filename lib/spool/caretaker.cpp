#include "spool/caretaker.hpp"

#include "spool/store.hpp"

#include <algorithm>
#include <iterator>

namespace linkrunner::spool {

namespace {

constexpr std::uint64_t audit_stretch_bytes = 1 << 20;

std::uint64_t body_bytes(const std::vector<dead_event>& events) {
    std::uint64_t sum = 0;
    for (const dead_event& each : events) {
        sum += each.event.body.size();
    }
    return sum;
}

} // namespace

struct caretaker::listing {
    dead_query what; // `from`, `max_events` and `max_bytes`: what is left
    std::function<void(result<dead_page>)> done;
    result<dead_page> stretch = dead_page{};
    dead_page page;
};

struct caretaker::pending_listing {
    pending_query what; // likewise
    std::function<void(result<pending_page>)> done;
    result<pending_page> stretch = pending_page{};
    pending_page page;
};

struct caretaker::change {
    dead_filter which;
    mark_kind kind = mark_kind::replayed;
    std::function<void(result<std::uint64_t>)> done;
    sequence from = 0;
    std::uint64_t count = 0;
    result<dead_numbers> stretch = dead_numbers{};
    result<void> synced;
};

struct caretaker::counting {
    explicit counting(std::function<void(result<audit_report>)> told) : done(std::move(told)) {}

    std::function<void(result<audit_report>)> done;
    std::unique_ptr<spool::audit> work; // the disk thread's
    bool more = true;
};

caretaker::caretaker(queue& spool, hooks told) : queue_(spool), hooks_(std::move(told)) {}

void caretaker::list(dead_query what, std::function<void(result<dead_page>)> done) {
    auto one = std::make_shared<listing>();
    one->what = std::move(what);
    one->done = std::move(done);
    go_on(one);
}

void caretaker::go_on(const std::shared_ptr<listing>& one) {
    queue_.on_disk([one](store& from) { one->stretch = read_dead(from, one->what); },
                   [this, one](const result<void>& ran) {
                       if (!ran || !one->stretch) {
                           one->done(ran ? one->stretch.error() : ran.error());
                           return;
                       }
                       dead_page& found = *one->stretch;
                       const std::uint64_t bytes = body_bytes(found.events);
                       one->what.max_events -= found.events.size();
                       one->what.max_bytes -= std::min<std::uint64_t>(bytes, one->what.max_bytes);
                       one->what.from = found.next;
                       std::ranges::move(found.events, std::back_inserter(one->page.events));
                       one->page.next = found.next;
                       one->page.at_end = found.at_end;
                       const bool full =
                           one->what.max_events == 0 || (one->what.bodies && one->what.max_bytes == 0);
                       if (found.at_end || full) {
                           one->done(std::move(one->page));
                           return;
                       }
                       go_on(one);
                   });
}

void caretaker::list_pending(pending_query what, std::function<void(result<pending_page>)> done) {
    auto one = std::make_shared<pending_listing>();
    one->what = std::move(what);
    one->what.filter.before = std::min(one->what.filter.before, queue_.status().next);
    one->done = std::move(done);
    go_on(one);
}

void caretaker::go_on(const std::shared_ptr<pending_listing>& one) {
    queue_.on_disk([one](store& from) { one->stretch = read_pending(from, one->what); },
                   [this, one](const result<void>& ran) {
                       if (!ran || !one->stretch) {
                           one->done(ran ? one->stretch.error() : ran.error());
                           return;
                       }
                       pending_page& found = *one->stretch;
                       std::uint64_t bytes = 0;
                       for (const pending_event& each : found.events) {
                           bytes += each.event.body.size() + 1;
                       }
                       one->what.max_events -= found.events.size();
                       one->what.max_bytes -= std::min<std::uint64_t>(bytes, one->what.max_bytes);
                       one->what.from = found.next;
                       std::ranges::move(found.events, std::back_inserter(one->page.events));
                       one->page.next = found.next;
                       one->page.at_end = found.at_end;
                       if (found.at_end || one->what.max_events == 0 || one->what.max_bytes == 0) {
                           one->done(std::move(one->page));
                           return;
                       }
                       go_on(one);
                   });
}

void caretaker::replay(dead_filter which, std::function<void(result<std::uint64_t>)> done) {
    auto one = std::make_shared<change>();
    one->which = std::move(which);
    one->which.before = std::min(one->which.before, queue_.status().next);
    one->done = std::move(done);
    go_on(one);
}

void caretaker::drop(dead_filter which, std::function<void(result<std::uint64_t>)> done) {
    auto one = std::make_shared<change>();
    one->which = std::move(which);
    one->which.before = std::min(one->which.before, queue_.status().next);
    one->kind = mark_kind::dropped;
    one->done = std::move(done);
    go_on(one);
}

void caretaker::go_on(const std::shared_ptr<change>& one) {
    const auto work = [one](store& in) {
        one->stretch = select_dead(in, one->which, one->from);
        if (!one->stretch || one->stretch->lanes_and_numbers.empty()) {
            one->synced = {};
            return;
        }
        std::vector<mark_job> jobs(1);
        jobs[0].durable = true;
        for (const auto& [lane, number] : one->stretch->lanes_and_numbers) {
            mark each;
            each.number = number;
            each.kind = one->kind;
            each.reason = one->kind == mark_kind::dropped ? "operator" : "";
            jobs[0].marks.push_back(std::move(each));
        }
        in.commit({}, jobs);
        one->synced = jobs[0].outcome;
    };
    queue_.on_disk(work, [this, one](const result<void>& ran) {
        if (!ran || !one->stretch) {
            one->done(ran ? one->stretch.error() : ran.error());
            return;
        }
        const auto& changed = one->stretch->lanes_and_numbers;
        one->count += changed.size();
        one->from = one->stretch->next;
        if (!changed.empty()) { // also when it is not synced: in memory it is done, and will be tried again
            one->kind == mark_kind::replayed ? hooks_.replayed(changed) : hooks_.dropped(changed.size());
        }
        if (!one->synced) {
            const std::string word = one->kind == mark_kind::replayed ? " replayed" : " dropped";
            one->done(error{one->synced.error().code,
                            one->synced.error().message + ". " + std::to_string(one->count) + " letters are" +
                                word + ", but after a crash some of them may be dead again"});
            return;
        }
        if (one->stretch->at_end) {
            one->done(one->count);
            return;
        }
        go_on(one);
    });
}

void caretaker::audit(std::function<void(result<audit_report>)> done) {
    go_on(std::make_shared<counting>(std::move(done)));
}

void caretaker::go_on(const std::shared_ptr<counting>& one) {
    const auto work = [one](store& in) {
        if (!one->work) {
            one->work = std::make_unique<spool::audit>(in.files(), in.directory());
        }
        one->more = one->work->step(in.log(), in.status().events, audit_stretch_bytes);
    };
    queue_.on_disk(work, [this, one](const result<void>& ran) {
        if (!ran) {
            one->done(ran.error());
        } else if (one->more) {
            go_on(one);
        } else {
            one->done(one->work->take());
        }
    });
}

} // namespace linkrunner::spool
