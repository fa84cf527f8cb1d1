#include "event/redact.hpp"

#include "base/json_text.hpp"
#include "event/edits.hpp"
#include "event/fields.hpp"
#include "event/scan.hpp"

#include <algorithm>
#include <array>
#include <fnmatch.h>
#include <utility>

namespace linkrunner::event {

namespace {

std::string in_small_letters(std::string_view text) {
    std::string out(text);
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

std::vector<std::string> parts_of(std::string_view pointer) {
    std::vector<std::string> out;
    while (pointer.starts_with('/')) {
        const std::size_t next = std::min(pointer.find('/', 1), pointer.size());
        std::string part;
        for (std::size_t i = 1; i < next; ++i) {
            const bool escaped = pointer[i] == '~' && i + 1 < next;
            part += escaped ? (pointer[++i] == '1' ? '/' : '~') : pointer[i];
        }
        out.push_back(std::move(part));
        pointer.remove_prefix(next);
    }
    return out;
}

// Members of the event itself that are needed to make it one, and those that tell whose it is.
constexpr std::array<std::string_view, 3> kept_members = {"event_name", "event_id", "event_data"};
constexpr std::array<std::string_view, 2> user_members = {"user_id", "install_instance_id"};

bool allowed(std::size_t depth, std::string_view key, redaction_kind what) {
    if (depth != 0) {
        return true;
    }
    if (std::ranges::find(kept_members, key) != kept_members.end()) {
        return false;
    }
    return what == redaction_kind::hash || std::ranges::find(user_members, key) == user_members.end();
}

} // namespace

redactor::redactor(const std::vector<redaction>& all, keyed_hash hash) : hash_(std::move(hash)) {
    for (const redaction& each : all) {
        compiled out;
        out.key = in_small_letters(each.key);
        out.key_is_glob = each.key.find_first_of("*?[\\") != std::string::npos;
        out.path = parts_of(each.pointer);
        out.what = each.what;
        out.every_name = each.names.empty();
        out.names = patterns(each.names);
        all_.push_back(std::move(out));
    }
}

// One event on its way through the redactions that apply to it.
class redactor::walk {
  public:
    walk(const redactor& owner, std::string_view object, std::string_view event_name)
        : owner_(owner), end_(object.data() + object.size()), edits_(object) {
        for (const compiled& each : owner.all_) {
            if (each.every_name || each.names.match(event_name)) {
                active_.push_back(&each);
            }
        }
    }

    std::optional<std::string> run(std::string_view object) {
        if (!active_.empty()) {
            walk_object(object.data(), 0);
        }
        return edits_.empty() ? std::nullopt : std::optional(edits_.apply());
    }

  private:
    struct seen_member {
        const char* begin;
        const char* end;
        bool removed;
    };

    // `path_` holds the parts that lead to the value in hand.
    const compiled* applying(std::string_view key, std::size_t depth, bool is_member) const {
        std::string folded;
        for (const compiled* each : active_) {
            bool hit = false;
            if (!each->path.empty()) {
                hit = each->path == path_;
            } else if (is_member) {
                if (folded.empty() && !key.empty()) {
                    folded = in_small_letters(key);
                }
                hit = each->key_is_glob ? ::fnmatch(each->key.c_str(), folded.c_str(), 0) == 0
                                        : each->key == folded;
            }
            if (hit && allowed(depth, key, each->what)) {
                return each;
            }
        }
        return nullptr;
    }

    void replace(std::string_view value, redaction_kind what) {
        std::string with;
        if (what == redaction_kind::mask) {
            with = "\"***\"";
        } else if (what == redaction_kind::hash) {
            std::string buffer;
            append_json_string(with, owner_.hash_(value.front() == '"' ? text_of(value, buffer) : value));
        } else {
            with = "null";
        }
        edits_.replace(value, std::move(with));
    }

    const char* walk_value(const char* value, std::size_t depth) {
        switch (kind_of(*value)) {
        case value_kind::object:
            return walk_object(value, depth);
        case value_kind::array:
            return walk_array(value, depth);
        default:
            return scan::skip_value(value, end_);
        }
    }

    const char* walk_object(const char* open, std::size_t depth) {
        std::vector<seen_member> members;
        std::string buffer;
        const char* const behind =
            scan::for_each_member(open, end_, [&](std::string_view literal, const char* value) {
                path_.emplace_back(text_of(literal, buffer));
                const compiled* const hit = applying(path_.back(), depth, true);
                const char* const after =
                    hit == nullptr ? walk_value(value, depth + 1) : scan::skip_value(value, end_);
                const bool removed = hit != nullptr && hit->what == redaction_kind::remove;
                if (hit != nullptr && !removed) {
                    replace({value, static_cast<std::size_t>(after - value)}, hit->what);
                }
                members.push_back({literal.data(), after, removed});
                path_.pop_back();
                return after;
            });
        remove_members(members);
        return behind;
    }

    // With each goes the comma behind it, or, where none of the later ones stays, the comma before it.
    void remove_members(const std::vector<seen_member>& members) {
        const seen_member* last_kept = nullptr;
        for (const seen_member& each : members) {
            last_kept = each.removed ? last_kept : &each;
        }
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (!members[i].removed) {
                continue;
            }
            const char* from = members[i].begin;
            const char* to = i + 1 < members.size() ? members[i + 1].begin : members[i].end;
            if (last_kept != nullptr && members[i].begin > last_kept->begin) {
                from = last_kept->end;
                to = members.back().end;
            }
            edits_.replace({from, static_cast<std::size_t>(to - from)}, "");
        }
    }

    const char* walk_array(const char* open, std::size_t depth) {
        const char* p = scan::skip_space(open + 1, end_);
        for (std::size_t index = 0; *p != ']'; ++index) {
            path_.push_back(std::to_string(index));
            const compiled* const hit = applying({}, depth, false);
            const char* const after = hit == nullptr ? walk_value(p, depth + 1) : scan::skip_value(p, end_);
            if (hit != nullptr) {
                replace({p, static_cast<std::size_t>(after - p)}, hit->what);
            }
            path_.pop_back();
            p = scan::skip_space(after, end_);
            if (*p == ',') {
                p = scan::skip_space(p + 1, end_);
            }
        }
        return p + 1;
    }

    const redactor& owner_;
    const char* end_;
    edits edits_;
    std::vector<const compiled*> active_;
    std::vector<std::string> path_;
};

std::optional<std::string> redactor::apply(std::string_view object, std::string_view event_name) const {
    return walk(*this, object, event_name).run(object);
}

} // namespace linkrunner::event
