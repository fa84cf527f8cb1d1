// The part of the table about what is done to events at intake (docs/data-quality.md).
#include "config/shapes.hpp"

#include <array>
#include <utility>

namespace linkrunner::config {
namespace {

check_section& checks_of(settings& s) {
    return s.events.checks;
}
check_section& checks_of(rule_section& r) {
    return r.checks;
}

struct check_row {
    std::string_view name; // for all events; in a rule per name without "events."
    bool fixable;
    std::string_view description;
};

// In the order of event::rule.
constexpr std::array<check_row, 11> check_rows = {{
    {"events.amount_as_string", true,
     "An amount that is a number in quotes, which the API does not count; fix: the quotes go."},
    {"events.amount_not_number", false, "An amount that is no number at all."},
    {"events.name_style", true,
     "An event_name that is not in snake_case; fix: it is converted (HTTPError becomes http_error)."},
    {"events.documented_name", true,
     "An event_name that is a documented one but for case, hyphens or spaces; fix: it becomes that."},
    {"events.long_field", false,
     "Keys of event_data over 128 characters and texts over 256, by which nobody can filter."},
    {"events.placeholder_user", false, "A user_id like null, undefined, 0 or {{user_id}}."},
    {"events.missing_amount", false, "An event of events.revenue_names without an amount."},
    {"events.payment_event", false,
     "An event whose event_data has an amount and a payment_id: capture-payment is for that."},
    {"events.missing_payment_id", false,
     "A payment without payment_id, which the API cannot tell from a repetition."},
    {"events.payment_type", false, "A payment whose type is none of the documented ones."},
    {"events.payment_status", false, "A payment whose status is none of the documented ones."},
}};

template <class Owner, std::size_t Row>
slot check_at(Owner& owner) {
    return &checks_of(owner).words[Row];
}

// The checks, for all events and for those of a rule, differ in their choices and in where they are kept.
template <class Owner, std::size_t... Row>
void add_checks(std::vector<basic_key<Owner>>& table, std::size_t name_from,
                const std::vector<std::string_view>& first_choices, std::index_sequence<Row...>) {
    const auto choices = [&](bool fixable) {
        std::vector<std::string_view> out = first_choices;
        out.insert(out.end(), {"off", "warn"});
        if (fixable) {
            out.push_back("fix");
        }
        out.push_back("reject");
        return one_of(out);
    };
    (table.push_back({check_rows[Row].name.substr(name_from), choices(check_rows[Row].fixable),
                      check_rows[Row].description, check_at<Owner, Row>}),
     ...);
}

template <class Owner>
void add_checks(std::vector<basic_key<Owner>>& table, std::size_t name_from,
                const std::vector<std::string_view>& first_choices) {
    add_checks(table, name_from, first_choices, std::make_index_sequence<check_rows.size()>());
}

} // namespace

void add_events(std::vector<key>& table) {
    table.push_back({"events.add_event_id", plain(kind::flag),
                     "Send the event_id that was made at intake with events that came without one.",
                     [](settings& s) -> slot { return &s.events.add_event_id; }});
    add_checks(table, 0, {});
    const std::vector<key> rest = {
        {"events.revenue_names", plain(kind::texts),
         "Event names that should carry an amount, with * ? [a-z] as in fnmatch(3).",
         [](settings& s) -> slot { return &s.events.revenue_names; }},
        {"events.remove_all_payments", plain(kind::flag),
         "Accept a remove-payment with a user_id alone, which removes all payments of that user.",
         [](settings& s) -> slot { return &s.events.remove_all_payments; }},
        {"events.redact", records("redaction", 0, most_event_rules),
         "Values that are taken out of events before anything of them reaches disk or log.",
         [](settings& s) -> slot { return &s.events.redact; }},
        {"events.redact_key_file", plain(kind::text),
         "File with the secret for redactions with action hash (HMAC-SHA-256).",
         [](settings& s) -> slot { return &s.events.redact_key_file; }},
        {"events.add", records("addition", 0, most_event_rules), "Members that are added to event_data.",
         [](settings& s) -> slot { return &s.events.add; }},
        {"events.stamp", plain(kind::text),
         "Key of event_data for the time of intake (occurred_at, say), as the API has none; empty: not "
         "added.",
         [](settings& s) -> slot { return &s.events.stamp; }},
        {"events.host", plain(kind::text),
         "Key of event_data for the name of the host, in a pod that of the pod; empty: not added.",
         [](settings& s) -> slot { return &s.events.host; }},
        {"events.overwrite", plain(kind::flag),
         "Let events.add, stamp and host replace what the caller sent under the same key.",
         [](settings& s) -> slot { return &s.events.overwrite; }},
        {"events.rules", records("rule", 0, most_event_rules),
         "What holds for events of certain names instead; the first rule whose names match counts.",
         [](settings& s) -> slot { return &s.events.rules; }},
    };
    table.insert(table.end(), rest.begin(), rest.end());
}

template <>
const record_form<redact_section>& form_of() {
    static const record_form<redact_section> form = {
        "redaction",
        "A redaction",
        "{key: email, action: remove}",
        "[]",
        {
            {"key", plain(kind::text),
             "Key at any depth of the event, whatever its case, with * ? [a-z] as in fnmatch(3).",
             [](redact_section& r) -> slot { return &r.key; }},
            {"pointer", plain(kind::text),
             "In the place of key: a JSON pointer (RFC 6901) from the event's root, /event_data/card/number.",
             [](redact_section& r) -> slot { return &r.pointer; }},
            {"action", one_of({"remove", "mask", "hash"}),
             "remove: with its key. mask: ***. hash: HMAC-SHA-256 with events.redact_key_file.",
             [](redact_section& r) -> slot { return &r.action; }},
            {"names", plain(kind::texts), "Event names that it applies to; none: all.",
             [](redact_section& r) -> slot { return &r.names; }},
        }};
    return form;
}

template <>
const record_form<add_section>& form_of() {
    static const record_form<add_section> form = {
        "addition",
        "An addition",
        "{key: environment, value: production}",
        R"(["key", "value"])",
        {
            {"key", plain(kind::text), "Key in event_data.", [](add_section& a) -> slot { return &a.key; }},
            {"value", plain(kind::text), "Value, sent as a string; ${NAME} takes it from the environment.",
             [](add_section& a) -> slot { return &a.value; }},
            {"names", plain(kind::texts), "Event names that it applies to; none: all.",
             [](add_section& a) -> slot { return &a.names; }},
        }};
    return form;
}

template <>
const record_form<rule_section>& form_of() {
    static const record_form<rule_section> form = [] {
        record_form<rule_section> out = {
            "rule",
            "A rule per event name",
            "{names: [\"debug_*\"], drop: true}",
            R"(["names"])",
            {
                {"names", plain(kind::texts),
                 "Event names as they are sent, with * ? [a-z] as in fnmatch(3).",
                 [](rule_section& r) -> slot { return &r.names; }},
                {"drop", plain(kind::flag), "Do not accept them; the answer says filtered.",
                 [](rule_section& r) -> slot { return &r.drop; }},
                {"lane", plain(kind::text),
                 "Lane that takes them, by its name; empty: as delivery.lanes says.",
                 [](rule_section& r) -> slot { return &r.lane; }},
                {"ambiguous", one_of({"inherit", "retry", "dead"}), "In the place of delivery.ambiguous.",
                 [](rule_section& r) -> slot { return &r.ambiguous; }},
                {"max_age", within(kind::inherited_duration, second, 3650 * day),
                 "In the place of delivery.max_age; looked up when they are delivered, by the name that is "
                 "sent.",
                 [](rule_section& r) -> slot { return &r.max_age; }},
            }};
        add_checks(out.keys, std::string_view("events.").size(), {"inherit"});
        return out;
    }();
    return form;
}

} // namespace linkrunner::config
