// The members of one metric family that differ in one label, found by its value without building a label map
// each time. Thread-safe. Members are made when first asked for and live as long as the family; the values
// come from this daemon's own words, so there are few.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace linkrunner::telemetry {

template <class Metric>
class labelled {
  public:
    labelled(prometheus::Family<Metric>& family, std::string label,
             std::initializer_list<std::string_view> known = {})
        : family_(family), label_(std::move(label)) {
        for (const std::string_view value : known) {
            (*this)[value];
        }
    }

    Metric& operator[](std::string_view value) {
        {
            const std::shared_lock lock(mutex_);
            if (const auto found = members_.find(value); found != members_.end()) {
                return *found->second;
            }
        }
        const std::unique_lock lock(mutex_);
        const auto found = members_.find(value);
        if (found != members_.end()) {
            return *found->second;
        }
        Metric& made = family_.Add({{label_, std::string(value)}});
        members_.emplace(std::string(value), &made);
        return made;
    }

    template <class Visitor>
    void for_each(Visitor&& visit) const {
        const std::shared_lock lock(mutex_);
        for (const auto& [value, metric] : members_) {
            visit(std::string_view(value), *metric);
        }
    }

  private:
    prometheus::Family<Metric>& family_;
    std::string label_;
    mutable std::shared_mutex mutex_;
    std::map<std::string, Metric*, std::less<>> members_;
};

} // namespace linkrunner::telemetry
