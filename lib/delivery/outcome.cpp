#include "delivery/outcome.hpp"

namespace linkrunner::delivery {

namespace {

outcome classify_client_error(int status) noexcept {
    switch (status) {
    case 401:
    case 403:
        return outcome::unauthorized;
    case 402:
        return outcome::suspended;
    case 404: // the wrong path, method, proxy, media type or server: no event is at fault
    case 405:
    case 407:
    case 415:
    case 421:
        return outcome::misconfigured;
    case 408:
    case 425:
        return outcome::transient;
    case 429:
        return outcome::throttled;
    default:
        return outcome::rejected;
    }
}

} // namespace

const char* word_for(outcome what) noexcept {
    switch (what) {
    case outcome::delivered:
        return "delivered";
    case outcome::rejected:
        return "rejected";
    case outcome::unauthorized:
        return "unauthorized";
    case outcome::suspended:
        return "suspended";
    case outcome::misconfigured:
        return "misconfigured";
    case outcome::throttled:
        return "throttled";
    case outcome::transient:
        return "transient";
    }
    return "";
}

outcome classify(const attempt_end& end) noexcept {
    const int status = end.status;
    if (status >= 200 && status < 300) {
        return outcome::delivered;
    }
    if (status >= 300 && status < 400) {
        return outcome::misconfigured; // never followed: the key must not travel
    }
    if (status >= 400 && status < 500) {
        return classify_client_error(status);
    }
    if (status == 501 || status == 511) {
        return outcome::misconfigured;
    }
    return outcome::transient; // other 5xx, no answer, and numbers that are no final status
}

bool is_ambiguous(const attempt_end& end) noexcept {
    return end.sent_whole && (end.status == 0 || end.status == 500 || end.status == 502 || end.status == 504);
}

bool may_blame_one(const attempt_end& end) noexcept {
    return end.status == 403 || classify(end) == outcome::rejected;
}

} // namespace linkrunner::delivery
