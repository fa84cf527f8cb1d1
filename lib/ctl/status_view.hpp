// The status of a daemon as a screenful of text. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace linkrunner::ctl {

// What each state of the upstream means, in a few words, and what an operator does about it (empty: nothing).
struct state_words {
    std::string meaning;
    std::string advice;
};
state_words words_for_state(const std::string& state);

// `status`: the data of GET /v1/status. Lines are cut at `width`; there are at most 24 with up to 4 lanes.
std::vector<std::string> status_lines(const boost::json::value& status, std::size_t width);

} // namespace linkrunner::ctl
