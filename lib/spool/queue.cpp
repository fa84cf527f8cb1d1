// The asynchronous shell round spool::store: an inbox, a disk thread, one answer to the loop per round.
#include "spool/queue.hpp"

#include "spool/frame.hpp"
#include "spool/front.hpp"
#include "spool/store.hpp"
#include "spool/waiting_appends.hpp"
#include "spool/watched_disk.hpp"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace linkrunner::spool {

namespace {

// Appends of one round. More wait for the next: the buffers of a round stay in bounds.
constexpr std::uint64_t most_round_bytes = 16 << 20;

template <class T>
void move_front(std::vector<T>& from, std::vector<T>& into, std::size_t count) {
    const auto last = from.begin() + static_cast<std::ptrdiff_t>(count);
    into.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(last));
    from.erase(from.begin(), last);
}

error closed_error() {
    return make_error(std::errc::operation_canceled, "the spool is closed");
}

class shell final : public queue {
  public:
    shell(disk& files, const clock& time, loop& owner, std::function<void(double)> commit_seconds,
          bool on_loop)
        : loop_(owner), clock_(time), disk_(files, time),
          front_(std::make_shared<front>(owner, time, disk_, std::move(commit_seconds))), on_loop_(on_loop) {
        front_->drop = [this](drop_job job) {
            submit([&](round& inbox) { inbox.drops.push_back(std::move(job)); });
        };
    }
    ~shell() override { close(); }

    result<void> start(const settings& options, random_source& random, recovery_report& report) {
        auto opened = store::open(options, disk_, clock_, random, report);
        if (!opened) {
            return opened.error();
        }
        store_ = std::move(*opened);
        front_->set_status(store_->status());
        hash_seed_ = store_->hash_seed();
        if (!on_loop_) {
            thread_ = std::thread([this] { run(); });
        }
        return {};
    }

    std::uint64_t hash_seed() const override { return hash_seed_; }
    std::uint64_t uncommitted_bytes() const override { return front_->uncommitted_bytes; }
    const spool::status& status() const override { return front_->status(); }
    void on_stored(std::function<void(std::uint32_t)> told) override { front_->stored = std::move(told); }
    void on_finding(std::function<void(const std::string&)> told) override {
        front_->finding = std::move(told);
    }
    void on_drop(sender who) override { front_->sender = std::move(who); }
    void unwatch(watch_id id) override { front_->remove_watch(id); }

    void append(std::vector<new_event> events, append_callback done) override;
    void read(std::uint8_t lane, sequence from, std::size_t max_events, std::size_t max_bytes,
              read_callback done) override;
    void record(std::vector<mark> marks, mark_callback durable) override;
    watch_id watch(sequence number, std::function<void(mark_kind)> ended) override;
    void on_disk(std::function<void(store&)> work, std::function<void(const result<void>&)> done) override;
    void close() override;

  private:
    template <class Fill>
    void submit(Fill fill);
    std::shared_ptr<round> take_inbox();
    std::shared_ptr<round> next_job();
    void work(std::shared_ptr<round> job, bool may_wait = true);
    void end_waiting();
    std::optional<steady_time> due() const;
    void maintain();
    void post(std::shared_ptr<round> done);
    void run();
    void run_on_loop();

    loop& loop_;
    const clock& clock_;
    watched_disk disk_;
    std::shared_ptr<front> front_;
    const bool on_loop_;
    std::unique_ptr<store> store_; // the disk thread's, once that runs; so are those that wait
    waiting_appends waiting_;
    std::uint64_t hash_seed_ = 0;
    bool closed_ = false;

    std::mutex guard_;
    std::condition_variable wake_;
    round inbox_;                   // guarded
    std::uint64_t inbox_bytes_ = 0; // guarded: of the appends
    bool stopping_ = false;         // guarded
    std::thread thread_;

    // Without a thread.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool scheduled_ = false;
    loop::timer_id timer_ = 0;
};

template <class Fill>
void shell::submit(Fill fill) {
    {
        const std::lock_guard lock(guard_);
        fill(inbox_);
    }
    if (!on_loop_) {
        front_->expect();
        wake_.notify_one();
    } else if (!std::exchange(scheduled_, true)) {
        loop_.post([this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) {
                run_on_loop();
            }
        });
    }
}

void shell::append(std::vector<new_event> events, append_callback done) {
    if (closed_ || front_->stalled()) {
        error why = closed_ ? closed_error() : refusal_error(refusal::disk_stalled, status().detail);
        loop_.post([why = std::move(why), done = std::move(done)] { done(why); });
        return;
    }
    std::uint64_t bytes = 0;
    for (const new_event& event : events) {
        bytes += frame_bytes(event);
    }
    front_->uncommitted_bytes += bytes;
    submit([&](round& inbox) {
        inbox.appends.push_back({std::move(events), {}});
        inbox.appended.emplace_back(std::move(done), bytes);
        inbox_bytes_ += bytes;
    });
}

void shell::read(std::uint8_t lane, sequence from, std::size_t max_events, std::size_t max_bytes,
                 read_callback done) {
    if (closed_) {
        loop_.post([done = std::move(done)] { done(closed_error()); });
        return;
    }
    submit([&](round& inbox) {
        inbox.reads.push_back({lane, from, max_events, max_bytes, {}, std::move(done)});
    });
}

void shell::record(std::vector<mark> marks, mark_callback durable) {
    if (closed_) {
        if (durable) {
            loop_.post([durable = std::move(durable)] { durable(closed_error()); });
        }
        return;
    }
    submit([&](round& inbox) {
        inbox.marks.push_back({std::move(marks), static_cast<bool>(durable), {}});
        inbox.marked.push_back(std::move(durable));
    });
}

watch_id shell::watch(sequence number, std::function<void(mark_kind)> ended) {
    const watch_id id = front_->add_watch(number, std::move(ended));
    if (!closed_) {
        submit([&](round& inbox) { inbox.lookups.push_back({number, id, {}}); });
    }
    return id;
}

void shell::on_disk(std::function<void(store&)> work, std::function<void(const result<void>&)> done) {
    if (closed_) {
        loop_.post([done = std::move(done)] { done(closed_error()); });
        return;
    }
    submit([&](round& inbox) { inbox.tasks.push_back({std::move(work), std::move(done)}); });
}

// All that waits; of the appends, what fits into a round.
std::shared_ptr<round> shell::take_inbox() {
    auto job = std::make_shared<round>();
    if (inbox_bytes_ <= most_round_bytes) {
        std::swap(*job, inbox_);
        inbox_bytes_ = 0;
        return job;
    }
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    do {
        bytes += inbox_.appended[count].second;
        ++count;
    } while (count < inbox_.appended.size() && bytes + inbox_.appended[count].second <= most_round_bytes);
    move_front(inbox_.appends, job->appends, count);
    move_front(inbox_.appended, job->appended, count);
    inbox_bytes_ -= bytes;
    job->marks = std::exchange(inbox_.marks, {});
    job->marked = std::exchange(inbox_.marked, {});
    job->reads = std::exchange(inbox_.reads, {});
    job->lookups = std::exchange(inbox_.lookups, {});
    job->tasks = std::exchange(inbox_.tasks, {});
    job->drops = std::exchange(inbox_.drops, {});
    return job;
}

// What the disk thread has to do now; nothing: it may wait. `guard_` is held.
std::shared_ptr<round> shell::next_job() {
    if (inbox_.requests() > 0) {
        return take_inbox();
    }
    return waiting_.until() && *waiting_.until() <= clock_.steady() ? std::make_shared<round>() : nullptr;
}

void shell::work(std::shared_ptr<round> job, bool may_wait) {
    may_wait = may_wait && (waiting_.empty() || clock_.steady() < *waiting_.until());
    if (may_wait && !waiting_.empty() && job->drops.empty() && store_->room_wanted()) {
        waiting_.add(*job);
    } else {
        waiting_.give_back(*job);
    }
    for (append_job& each : job->appends) {
        each.may_wait = may_wait;
    }
    if (!job->drops.empty()) { // what was delivered is not dropped, and what is dropped makes room
        store_->commit({}, job->marks);
        for (drop_job& each : job->drops) {
            each.dropped = store_->drop(each.range, std::move(each.held));
        }
    }
    store_->commit(job->appends, job->drops.empty() ? std::span(job->marks) : std::span<mark_job>());
    waiting_.take(*job, clock_.steady());
    for (append_job& each : job->appends) {
        std::vector<new_event>().swap(each.events);
    }
    for (read_job& each : job->reads) {
        each.outcome = store_->read(each.lane, each.from, each.max_events, each.max_bytes);
    }
    for (lookup_job& each : job->lookups) {
        each.ended = store_->end_of(each.number);
    }
    job->lanes_stored = store_->lanes_stored();
    job->sync_seconds = store_->sync_seconds();
    for (const disk_task& each : job->tasks) {
        each.work(*store_);
    }
    post(std::move(job)); // nothing is kept here: its callbacks must not be destroyed on this thread
}

// At the end: what waits is stored if it fits by now, else refused.
void shell::end_waiting() {
    if (!waiting_.empty()) {
        work(std::make_shared<round>(), false);
    }
}

std::optional<steady_time> shell::due() const {
    const auto upkeep = store_->due();
    const auto end = waiting_.until();
    return upkeep && end ? std::min(*upkeep, *end) : upkeep ? upkeep : end;
}

void shell::maintain() {
    const auto due = store_->due();
    if (due && *due <= clock_.steady()) {
        store_->maintain();
        post(std::make_shared<round>());
    }
}

void shell::post(std::shared_ptr<round> done) {
    done->status = store_->status();
    done->findings = store_->take_findings();
    done->room_wanted = store_->room_wanted();
    loop_.post([done = std::move(done), to = front_] { to->take(*done); });
}

void shell::run() {
    std::unique_lock lock(guard_);
    for (;;) {
        while (inbox_.requests() == 0 && !stopping_) {
            const auto when = due();
            if (!when) {
                wake_.wait(lock);
            } else if (const auto left = *when - clock_.steady(); left > left.zero()) {
                wake_.wait_for(lock, left);
            } else {
                break;
            }
        }
        if (inbox_.requests() == 0 && stopping_) {
            break;
        }
        auto job = next_job();
        lock.unlock();
        if (job) {
            work(std::move(job));
        }
        maintain();
        lock.lock();
    }
    lock.unlock();
    end_waiting();
    store_->close();
}

void shell::run_on_loop() {
    scheduled_ = false;
    for (;;) {
        auto job = [this] {
            const std::lock_guard lock(guard_);
            return next_job();
        }();
        if (!job) {
            break;
        }
        work(std::move(job));
    }
    maintain();
    if (timer_ != 0) {
        loop_.cancel(std::exchange(timer_, 0));
    }
    if (const auto when = due()) {
        timer_ = loop_.call_at(*when, [this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) {
                timer_ = 0;
                run_on_loop();
            }
        });
    }
}

void shell::close() {
    if (std::exchange(closed_, true) || !store_) {
        return;
    }
    if (on_loop_) {
        run_on_loop();
        alive_.reset();
        if (timer_ != 0) {
            loop_.cancel(std::exchange(timer_, 0));
        }
        end_waiting();
        store_->close();
    } else {
        {
            const std::lock_guard lock(guard_);
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }
    front_->set_status(store_->status()); // with what was written last
    front_->close();
}

result<std::unique_ptr<queue>> open_shell(const settings& options, disk& files, clock& time, loop& owner,
                                          random_source& random, recovery_report& report,
                                          std::function<void(double)> commit_seconds, bool on_loop) {
    auto made = std::make_unique<shell>(files, time, owner, std::move(commit_seconds), on_loop);
    if (auto started = made->start(options, random, report); !started) {
        return started.error();
    }
    return std::unique_ptr<queue>(std::move(made));
}

} // namespace

result<std::unique_ptr<queue>> queue::open(const settings& options, disk& files, clock& time, loop& owner,
                                           random_source& random, recovery_report& report,
                                           std::function<void(double)> commit_seconds) {
    return open_shell(options, files, time, owner, random, report, std::move(commit_seconds), false);
}

result<std::unique_ptr<queue>> queue::open_on_loop(const settings& options, disk& files, clock& time,
                                                   loop& owner, random_source& random,
                                                   recovery_report& report,
                                                   std::function<void(double)> commit_seconds) {
    return open_shell(options, files, time, owner, random, report, std::move(commit_seconds), true);
}

} // namespace linkrunner::spool
