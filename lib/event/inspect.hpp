// The rules of quality.hpp on one event: what they find, and the changes that fix it. Private to this folder.
#pragma once

#include "event/edits.hpp"
#include "event/event.hpp"
#include "event/fields.hpp"
#include "event/policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

struct inspected {
    std::string name; // event_name, fixed where that is asked for
    std::string_view user_id;
    std::vector<finding>& findings;
    edits& changes;
};

// A violation where the action for what was found is `reject`; its code is the rule's word.
std::optional<violation> inspect(const fields& found, const actions& checks, const patterns& revenue_names,
                                 inspected& what);

} // namespace linkrunner::event
