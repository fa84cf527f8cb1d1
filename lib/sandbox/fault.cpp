#include "sandbox/fault.hpp"

#include <fnmatch.h>

namespace linkrunner::sandbox {

namespace {

bool glob_matches(const std::string& pattern, std::string_view text) {
    return pattern.empty() || fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
}

} // namespace

bool misbehaviour::only_delays() const noexcept {
    return status == 0 && !retry_after && !retry_after_as_date && message.empty() && location.empty() &&
           ending == fault_ending::answer && !truncated && !garbage && !connection_close && interim.empty() &&
           !http_1_0 && header.empty() && big_bytes == 0 && slow_gap.count() == 0;
}

void fault_plan::add(std::vector<fault> rules, steady_time now) {
    for (fault& rule : rules) {
        const std::uint64_t seed = rule.seed;
        rules_.push_back({std::move(rule), now, std::nullopt, 0, 0, seeded_random(seed)});
    }
}

bool fault_plan::fires(armed& entry, const fault_subject& subject, steady_time now) {
    const fault& rule = entry.rule;
    if (now - entry.added < rule.from) {
        return false;
    }
    if (!glob_matches(rule.name, subject.event_name) || !glob_matches(rule.user, subject.user)) {
        return false;
    }
    const std::uint64_t index = entry.matched++;
    if (index < rule.after || (rule.count != 0 && entry.hit >= rule.count)) {
        return false;
    }
    if (!entry.first) {
        entry.first = now;
    }
    if (rule.lasts && now - *entry.first >= *rule.lasts) {
        return false;
    }
    if ((index - rule.after + 1) % rule.every != 0) {
        return false;
    }
    if (rule.probability < 1 && entry.random.uniform() >= rule.probability) {
        return false;
    }
    ++entry.hit;
    return true;
}

misbehaviour fault_plan::decide(fault_stage stage, const fault_subject& subject, steady_time now) {
    std::chrono::milliseconds delay{0};
    for (armed& entry : rules_) {
        if (entry.rule.stage != stage || !fires(entry, subject, now)) {
            continue;
        }
        delay += entry.rule.what.delay;
        if (!entry.rule.what.only_delays()) {
            misbehaviour what = entry.rule.what;
            what.delay = delay;
            return what;
        }
    }
    misbehaviour what;
    what.delay = delay;
    return what;
}

std::vector<fault_plan::state> fault_plan::states() const {
    std::vector<state> out;
    out.reserve(rules_.size());
    for (const armed& entry : rules_) {
        out.push_back({entry.rule.text, entry.matched, entry.hit});
    }
    return out;
}

} // namespace linkrunner::sandbox
