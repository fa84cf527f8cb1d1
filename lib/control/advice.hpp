// What a state means and what is to be done about it, in words: the one source for /status, the live page and
// the operator's tool. The codes are those of linkrunnerd_upstream_state and of the refusals in /readyz; each
// has a paragraph of its name in docs/operating.md. Constant data; any thread.
#pragma once

#include <span>
#include <string_view>

namespace linkrunner::control {

struct advice {
    std::string_view code;
    std::string_view words;      // what is the case
    std::string_view what_to_do; // empty: nothing
};

// Nothing known of `code`: its own name, and no advice.
advice advice_for(std::string_view code);

// The first of them are the upstream's states, with `healthy` at the front; then the refusals of intake.
std::span<const advice> all_advice();

} // namespace linkrunner::control
