// The words of the spool's enumerations, and refusals as error codes.
#include "spool/store.hpp"

#include <cerrno>

namespace linkrunner::spool {

const char* word_for(dead_reason reason) noexcept {
    switch (reason) {
    case dead_reason::rejected:
        return "rejected";
    case dead_reason::attempts:
        return "attempts";
    case dead_reason::age:
        return "age";
    case dead_reason::ambiguous:
        return "ambiguous";
    }
    return "unknown";
}

std::optional<dead_reason> dead_reason_from(std::string_view word) noexcept {
    for (const auto reason :
         {dead_reason::rejected, dead_reason::attempts, dead_reason::age, dead_reason::ambiguous}) {
        if (word == word_for(reason)) {
            return reason;
        }
    }
    return {};
}

const char* word_for(drop_reason why) noexcept {
    switch (why) {
    case drop_reason::queue_full:
        return "queue_full";
    case drop_reason::dead_max_bytes:
        return "dead_max_bytes";
    case drop_reason::dead_max_age:
        return "dead_max_age";
    }
    return "unknown";
}

const char* word_for(refusal why) noexcept {
    switch (why) {
    case refusal::none:
        return "none";
    case refusal::queue_full:
        return "queue_full";
    case refusal::disk_full:
        return "disk_full";
    case refusal::disk_stalled:
        return "disk_stalled";
    case refusal::disk_error:
        return "disk_error";
    }
    return "unknown";
}

namespace {

class refusal_category final : public std::error_category {
  public:
    const char* name() const noexcept override { return "spool"; }
    std::string message(int value) const override { return word_for(static_cast<refusal>(value)); }
};

const std::error_category& refusals() {
    static const refusal_category category;
    return category;
}

} // namespace

error refusal_error(refusal why, std::string detail) {
    return {std::error_code(static_cast<int>(why), refusals()), std::move(detail)};
}

refusal refusal_of(const error& failure) noexcept {
    return failure.code.category() == refusals() ? static_cast<refusal>(failure.code.value()) : refusal::none;
}

refusal refusal_for(const error& failure) noexcept {
    const bool full = failure.code == std::errc::no_space_on_device ||
                      failure.code == std::error_code(EDQUOT, std::generic_category());
    return full ? refusal::disk_full : refusal::disk_error;
}

} // namespace linkrunner::spool
