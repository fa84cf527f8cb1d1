// A spool::queue in memory, for tests of what stands around the spool. Answers on the next turn of the loop,
// like the real one.
#pragma once

#include "spool/queue.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace linkrunner::test {

class memory_queue final : public spool::queue {
  public:
    explicit memory_queue(loop& owner) : loop_(owner) {}

    std::uint64_t hash_seed() const override { return 7; }

    void append(std::vector<spool::new_event> group, spool::append_callback done) override {
        for (const auto& event : group) {
            uncommitted_ += event.body.size();
        }
        auto work = [this, group = std::move(group), done = std::move(done)] {
            for (const auto& event : group) {
                uncommitted_ -= event.body.size();
            }
            if (failure) {
                done(*failure);
                return;
            }
            done(store(group));
            if (stored_) {
                stored_(~0u);
            }
        };
        held ? held_.push_back(std::move(work)) : loop_.post(std::move(work));
    }

    std::uint64_t uncommitted_bytes() const override { return uncommitted_; }

    void on_disk(std::function<void(spool::store&)>, std::function<void(const result<void>&)> done) override {
        loop_.post([done = std::move(done)] {
            done(make_error(std::errc::operation_not_supported, "there is no store in memory"));
        });
    }

    void read(std::uint8_t lane, spool::sequence from, std::size_t max_events, std::size_t,
              spool::read_callback done) override {
        loop_.post([this, lane, from, max_events, done = std::move(done)] {
            spool::batch out;
            out.next = std::max(from, status_.next);
            out.at_end = true;
            for (auto each = events.lower_bound(from); each != events.end(); ++each) {
                if (each->second.lane != lane || ends.contains(each->first)) {
                    continue;
                }
                if (out.events.size() == max_events) {
                    out.next = each->first;
                    out.at_end = false;
                    break;
                }
                out.events.push_back(each->second);
            }
            done(std::move(out));
        });
    }

    void record(std::vector<spool::mark> marks, spool::mark_callback durable) override {
        for (spool::mark& mark : marks) {
            recorded.push_back(mark);
            if (mark.kind == spool::mark_kind::sending || mark.kind == spool::mark_kind::replayed) {
                continue;
            }
            ends[mark.number] = mark.kind;
            --status_.events.pending;
            --status_.pending_by_lane[events.at(mark.number).lane];
            for (auto& [id, watch] : std::exchange(watches_, {})) {
                if (watch.first == mark.number) {
                    watch.second(mark.kind);
                } else {
                    watches_.emplace(id, std::move(watch));
                }
            }
        }
        if (durable) {
            loop_.post([durable = std::move(durable)] { durable({}); });
        }
    }

    spool::watch_id watch(spool::sequence number, std::function<void(spool::mark_kind)> ended) override {
        const auto known = ends.find(number);
        if (known != ends.end()) {
            ended(known->second);
            return 0;
        }
        watches_.emplace(++last_watch_, std::pair(number, std::move(ended)));
        return last_watch_;
    }

    void unwatch(spool::watch_id id) override { watches_.erase(id); }
    void on_stored(std::function<void(std::uint32_t)> told) override { stored_ = std::move(told); }
    void on_drop(sender who) override { dropper = std::move(who); }
    const spool::status& status() const override { return status_; }
    void close() override {}

    // As an operator's replay of a dead letter.
    void replay(spool::sequence number) {
        ends.erase(number);
        ++status_.events.pending;
        ++status_.pending_by_lane[events.at(number).lane];
    }

    // Appends that were held back are answered now.
    void release() {
        held = false;
        for (auto& work : std::exchange(held_, {})) {
            loop_.post(std::move(work));
        }
    }

    std::size_t held_appends() const { return held_.size(); }
    std::size_t watchers() const { return watches_.size(); }

    std::map<spool::sequence, spool::stored_event> events;
    std::map<spool::sequence, spool::mark_kind> ends;
    std::vector<spool::mark> recorded;
    sender dropper;
    std::optional<error> failure; // of each append from now on
    bool held = false;            // appends wait for release()

  private:
    std::vector<spool::appended> store(const std::vector<spool::new_event>& group) {
        std::vector<spool::appended> out;
        for (const auto& event : group) {
            const auto first = std::ranges::find_if(
                events, [&](const auto& each) { return each.second.identity == event.identity; });
            if (first != events.end()) {
                const bool same = first->second.body_hash == event.body_hash;
                out.push_back({same ? spool::append_outcome::duplicate : spool::append_outcome::conflict,
                               first->first});
                continue;
            }
            spool::stored_event copy;
            static_cast<spool::new_event&>(copy) = event;
            copy.number = status_.next++;
            out.push_back({spool::append_outcome::stored, copy.number});
            ++status_.events.accepted;
            ++status_.events.pending;
            ++status_.pending_by_lane[copy.lane];
            events.emplace(copy.number, std::move(copy));
        }
        return out;
    }

    loop& loop_;
    spool::status status_;
    std::uint64_t uncommitted_ = 0;
    std::vector<loop::task> held_;
    std::map<spool::watch_id, std::pair<spool::sequence, std::function<void(spool::mark_kind)>>> watches_;
    spool::watch_id last_watch_ = 0;
    std::function<void(std::uint32_t)> stored_;
};

} // namespace linkrunner::test
