// The part of the table about what is done to events at intake (docs/data-quality.md).
#include "config/shapes.hpp"

namespace linkrunner::config {
namespace {

check_section& checks_of(settings& s) {
    return s.events.checks;
}
check_section& checks_of(rule_section& r) {
    return r.checks;
}

// The checks, for all events and for those of a rule, differ in their choices and in where they are kept.
template <class Owner>
void add_checks(std::vector<basic_key<Owner>>& table, const std::string_view (&names)[7],
                const std::vector<std::string_view>& first_choices) {
    const auto choices = [&](bool fixable) {
        std::vector<std::string_view> out = first_choices;
        out.insert(out.end(), {"off", "warn"});
        if (fixable) {
            out.push_back("fix");
        }
        out.push_back("reject");
        return one_of(out);
    };
    table.push_back(
        {names[0], choices(true),
         "An amount that is a number in quotes, which the API does not count; fix: the quotes go.",
         [](Owner& s) -> slot { return &checks_of(s).amount_as_string; }});
    table.push_back({names[1], choices(false), "An amount that is no number at all.",
                     [](Owner& s) -> slot { return &checks_of(s).amount_not_number; }});
    table.push_back(
        {names[2], choices(true),
         "An event_name that is not in snake_case; fix: it is converted (HTTPError becomes http_error).",
         [](Owner& s) -> slot { return &checks_of(s).name_style; }});
    table.push_back(
        {names[3], choices(true),
         "An event_name that is a documented one but for case, hyphens or spaces; fix: it becomes that.",
         [](Owner& s) -> slot { return &checks_of(s).documented_name; }});
    table.push_back({names[4], choices(false),
                     "Keys of event_data over 128 characters and texts over 256, by which nobody can filter.",
                     [](Owner& s) -> slot { return &checks_of(s).long_field; }});
    table.push_back({names[5], choices(false), "A user_id like null, undefined, 0 or {{user_id}}.",
                     [](Owner& s) -> slot { return &checks_of(s).placeholder_user; }});
    table.push_back({names[6], choices(false), "An event of events.revenue_names without an amount.",
                     [](Owner& s) -> slot { return &checks_of(s).missing_amount; }});
}

} // namespace

void add_events(std::vector<key>& table) {
    table.push_back({"events.add_event_id", plain(kind::flag),
                     "Send the event_id that was made at intake with events that came without one.",
                     [](settings& s) -> slot { return &s.events.add_event_id; }});
    add_checks(table,
               {"events.amount_as_string", "events.amount_not_number", "events.name_style",
                "events.documented_name", "events.long_field", "events.placeholder_user",
                "events.missing_amount"},
               {});
    const std::vector<key> rest = {
        {"events.revenue_names", plain(kind::texts),
         "Event names that should carry an amount, with * ? [a-z] as in fnmatch(3).",
         [](settings& s) -> slot { return &s.events.revenue_names; }},
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
        add_checks(out.keys,
                   {"amount_as_string", "amount_not_number", "name_style", "documented_name", "long_field",
                    "placeholder_user", "missing_amount"},
                   {"inherit"});
        return out;
    }();
    return form;
}

} // namespace linkrunner::config
