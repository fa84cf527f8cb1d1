// A store on a disk in memory, in virtual time, with short ways to say what tests say often.
#pragma once

#include "spool/store.hpp"
#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::spool {

class store_fixture : public ::testing::Test {
  protected:
    store_fixture() {
        settings_.directory = "/spool";
        settings_.segment_bytes = 256 << 10;
    }

    recovery_report open() {
        recovery_report report;
        auto opened = store::open(settings_, disk_, clock_, random_, report);
        EXPECT_TRUE(opened) << opened.error().message;
        store_ = std::move(*opened);
        return report;
    }

    // As after kill -9: everything written is there, nothing was closed in order.
    recovery_report reopen() {
        store_.reset();
        return open();
    }

    new_event event(const std::string& id, std::uint8_t lane = 0, std::size_t padding = 0) {
        new_event out;
        out.lane = lane;
        out.accepted_at = clock_.wall();
        out.user_key = hash64(1, id);
        out.name = "cart_added";
        out.event_id = id;
        out.body = R"({"event_name":"cart_added","event_id":")" + id + R"(","pad":")" +
                   std::string(padding, 'x') + "\"}";
        out.identity = hash128(1, {out.name, id});
        out.body_hash = hash64(1, out.body);
        return out;
    }

    result<std::vector<appended>> append(std::vector<new_event> events) {
        std::vector<append_job> jobs;
        jobs.push_back({std::move(events), {}});
        store_->commit(jobs, {});
        return jobs.front().outcome;
    }
    result<std::vector<appended>> append(const std::string& id, std::uint8_t lane = 0) {
        return append({event(id, lane)});
    }
    sequence stored(const std::string& id, std::uint8_t lane = 0, std::size_t padding = 0) {
        const auto outcome = append({event(id, lane, padding)});
        EXPECT_TRUE(outcome) << outcome.error().message;
        return outcome ? outcome->front().number : 0;
    }

    void mark_as(mark_kind kind, const std::vector<sequence>& numbers) {
        std::vector<mark_job> jobs(1);
        for (const sequence number : numbers) {
            mark one;
            one.number = number;
            one.kind = kind;
            jobs[0].marks.push_back(one);
        }
        store_->commit({}, jobs);
    }
    void pass(std::chrono::milliseconds time) {
        clock_.advance_to(clock_.steady() + time);
        store_->maintain();
    }

    std::vector<std::string> pending(std::uint8_t lane = 0) {
        std::vector<std::string> ids;
        sequence from = 0;
        for (;;) {
            const auto got = store_->read(lane, from, 3, 1 << 20);
            EXPECT_TRUE(got);
            for (const stored_event& each : got->events) {
                ids.push_back(each.event_id);
            }
            if (got->at_end) {
                return ids;
            }
            from = got->next;
        }
    }
    ledger events() const { return store_->status().events; }
    bool adds_up() const {
        const ledger all = events();
        return all.accepted ==
               all.delivered + all.handed_off + all.dead + all.dropped + all.lost + all.pending;
    }
    // Fails calls of this kind on paths that contain `part`, until it is taken back with stop_failing().
    void fail(const std::string& call, const std::string& part, int number) {
        disk_.failing = [=](std::string_view what, const std::string& path) {
            return what == call && path.find(part) != std::string::npos ? number : 0;
        };
    }
    void stop_failing() { disk_.failing = {}; }

    settings settings_;
    test::memory_disk disk_;
    test::virtual_clock clock_;
    seeded_random random_{1};
    std::unique_ptr<store> store_;
};

} // namespace linkrunner::spool
