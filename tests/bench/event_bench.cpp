// What parsing costs: single events of the usual size, batches, ids. Prints one line per case; not a test.
#include "event/batch.hpp"
#include "event/event.hpp"
#include "event/lanes.hpp"
#include "event/policy.hpp"
#include "event/uuid7.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::uint64_t allocations = 0;

} // namespace

void* operator new(std::size_t bytes) {
    ++allocations;
    if (void* const memory = std::malloc(bytes)) {
        return memory;
    }
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

namespace event = linkrunner::event;

const std::string usual_event =
    R"({"event_name":"purchase_completed","user_id":"user_8f14e45fceea167a","event_data":{"order_id":"ORD-2024-)"
    R"(118823","amount":1249.50,"currency":"INR","items":[{"sku":"TSHIRT-BLK-M","qty":2,"price":499.75},)"
    R"({"sku":"CAP-RED","qty":1,"price":250.00}],"coupon":"WELCOME10","first_purchase":true,"source":"checkout"}})";

// The best of several rounds: other work on the machine only ever adds.
template <class Work>
void measure(const char* what, std::size_t bytes_each, std::size_t times, Work work) {
    double best = 1e18;
    std::uint64_t allocated = 0;
    for (int round = 0; round < 9; ++round) {
        const std::uint64_t before = allocations;
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < times; ++i) {
            work();
        }
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / static_cast<double>(times));
        allocated = (allocations - before) / times;
    }
    std::printf("%-46s %10.0f ns  %9.0f /s  %7.0f MB/s  %4llu allocations\n", what, best, 1e9 / best,
                static_cast<double>(bytes_each) / best * 1e3, static_cast<unsigned long long>(allocated));
}

void expect(bool condition) {
    if (!condition) {
        std::fputs("a benchmark input was not taken as expected\n", stderr);
        std::abort();
    }
}

event::uuid7_source make_ids(std::mt19937_64& engine) {
    return {[] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); },
            [&engine] { return engine(); }};
}

event::policy_settings every_check() {
    event::policy_settings out;
    out.checks.all.fill(event::action::warn);
    out.checks[event::rule::amount_as_string] = event::action::fix;
    out.revenue_names = {"purchase_completed", "order_*", "*_purchased"};
    return out;
}

void measure_policies(event::uuid7_source& ids, event::parse_options options) {
    const auto run = [&](const char* what, const event::policy_settings& settings) {
        const event::policy rules(settings, [](std::string_view text) { return std::string(64, text[0]); });
        options.rules = &rules;
        measure(what, usual_event.size(), 100'000, [&] {
            expect(std::holds_alternative<event::event>(
                event::parse_event(usual_event, "", options, ids, "2026-11-23T15:00:00.000Z")));
        });
    };
    run("event, every check off", {});
    event::policy_settings all = every_check();
    run("event, every check on", all);
    all.stamp = "occurred_at";
    all.add = {{"environment", "production", {}}};
    run("event, every check on, two members added", all);
    all.redact = {{"email", "", event::redaction_kind::mask, {}},
                  {"coupon", "", event::redaction_kind::remove, {}}};
    run("event, the same and two keys redacted", all);
}

void measure_single(event::uuid7_source& ids, const event::parse_options& options) {
    const auto parse = [&](std::string_view text) {
        expect(std::holds_alternative<event::event>(event::parse_event(text, "", options, ids)));
    };
    measure("event, id added", usual_event.size(), 100'000, [&] { parse(usual_event); });

    std::string with_id = usual_event;
    with_id.insert(1, R"("event_id":"0190b2a4-7b5e-7cc3-98c4-dc0c0c07398f",)");
    measure("event with its own id", with_id.size(), 100'000, [&] { parse(with_id); });

    const std::string escaped =
        R"({"\u0065vent_name":"caf\u00e9_visited","user_id":"\u00fc-1","event_data":{"t":"a\nb\"c\u20ac"}})";
    measure("small event, escapes in keys and values", escaped.size(), 100'000, [&] { parse(escaped); });

    std::string large = R"({"event_name":"a","user_id":"b","event_data":{"n":[)";
    while (large.size() < 990'000) {
        large += "12345.678,";
    }
    large += "0]}}";
    measure("990 kB of numbers", large.size(), 20, [&] { parse(large); });
    std::string text =
        R"({"event_name":"a","user_id":"b","event_data":{"t":")" + std::string(990'000, 'x') + "\"}}";
    measure("990 kB of text", text.size(), 20, [&] { parse(text); });
}

void measure_batches(event::uuid7_source& ids, const event::parse_options& options) {
    std::string lines;
    std::string array = "[";
    for (int i = 0; i < 100; ++i) {
        lines += usual_event + "\n";
        array += (i == 0 ? "" : ",") + usual_event;
    }
    array += "]";
    const auto read = [&](event::batch_format format, std::string_view body, bool parse) {
        event::batch_reader reader(format, body);
        std::size_t items = 0;
        for (auto next = reader.next(); const auto* item = std::get_if<event::batch_item>(&next);
             next = reader.next()) {
            ++items;
            if (parse) {
                expect(
                    std::holds_alternative<event::event>(event::parse_event(item->text, "", options, ids)));
            }
        }
        expect(items == 100);
    };
    measure("100 events, NDJSON, split only", lines.size(), 1000,
            [&] { read(event::batch_format::ndjson, lines, false); });
    measure("100 events, array, split only", array.size(), 1000,
            [&] { read(event::batch_format::array, array, false); });
    measure("100 events, NDJSON", lines.size(), 1000,
            [&] { read(event::batch_format::ndjson, lines, true); });
    measure("100 events, array", array.size(), 1000, [&] { read(event::batch_format::array, array, true); });

    const std::string brackets = std::string(4 << 20, '[');
    measure("4 MiB of '[', refused", brackets.size(), 10, [&] {
        event::batch_reader reader(event::batch_format::array, brackets);
        expect(std::holds_alternative<event::violation>(reader.next()));
    });
}

void measure_ids(event::uuid7_source& ids) {
    measure("uuid7", 36, 100'000, [&] { expect(ids.make().size() == 36); });
    measure("derived id", 36, 100'000, [&] { expect(event::derived_id("order-118823", 17).size() == 36); });
    const event::lane_rules lanes({{{"purchase_*", "refund"}, true}, {{"*_[0-9]"}, false}, {{"*"}, false}});
    measure("lane, by prefix", 18, 100'000,
            [&] { expect(lanes.lane_for("purchase_completed", false) == 0); });
    measure("lane, by glob", 18, 100'000, [&] { expect(lanes.lane_for("level_completed_7", false) == 1); });
}

} // namespace

int main() {
    std::mt19937_64 engine(1);
    event::uuid7_source ids = make_ids(engine);
    event::parse_options options;
    options.hash_seed = 0x9E3779B97F4A7C15;
    std::printf("the usual event has %zu bytes\n", usual_event.size());
    measure_single(ids, options);
    measure_policies(ids, options);
    measure_batches(ids, options);
    measure_ids(ids);
}
