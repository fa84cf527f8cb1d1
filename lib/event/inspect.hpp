// The rules of quality.hpp on one event: what they find, and the changes that fix it. Private to this folder.
#pragma once

#include "event/edits.hpp"
#include "event/event.hpp"
#include "event/fields.hpp"
#include "event/policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::event {

// What the rules say of one event, as the actions want it.
class remarks {
  public:
    remarks(const actions& checks, std::vector<finding>& into) : checks_(checks), into_(into) {}

    bool wanted(rule which) const { return checks_[which] != action::off; }

    // Notes what a rule found; true when it is to be fixed.
    bool note(rule which, std::string message, std::string pointer, bool fixable = false);

    // The first that was noted under `reject`.
    std::optional<violation> take_refusal() { return std::move(refused_); }

  private:
    const actions& checks_;
    std::vector<finding>& into_;
    std::optional<violation> refused_;
};

// Of any call: a user_id that names nobody.
void check_user(std::string_view user_id, remarks& said);
// Keys and texts of event_data that are too long to be filtered by; and its amount, where that is asked for.
void check_data(std::string_view event_data, bool with_amount, remarks& said, edits& changes);
// An amount that is no number. True where it is mended.
bool check_amount(std::string_view value, const std::string& pointer, remarks& said, edits& changes);

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
