// What the operator wants done to events at intake: data quality, redaction, additions, and rules per name.
// Compiled once; immutable, so any thread may use it.
#pragma once

#include "event/enrich.hpp"
#include "event/pattern.hpp"
#include "event/quality.hpp"
#include "event/redact.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

// For the events whose name, as it was sent, matches one of `names`. What is not set stays as it is for all.
struct name_rule {
    std::vector<std::string> names;
    bool drop = false; // not accepted; the answer says `filtered`
    std::optional<std::uint8_t> lane;
    std::optional<bool> ambiguous_dead;
    std::array<std::optional<action>, rule_count> checks{};
};

struct policy_settings {
    actions checks;                         // off where a test or a tool does not set them
    std::vector<std::string> revenue_names; // patterns: their events should carry an amount
    std::vector<name_rule> rules;           // the first that matches counts
    std::vector<redaction> redact;
    std::vector<addition> add;
    std::string stamp;
    bool overwrite = false;
};

class policy {
  public:
    // What holds for one event.
    struct treatment {
        actions checks;
        bool drop = false;
        std::optional<std::uint8_t> lane;
        std::optional<bool> ambiguous_dead;
    };

    policy() = default;
    policy(const policy_settings& all, redactor::keyed_hash hash);

    const treatment& for_name(std::string_view event_name) const;

    const redactor& redactions() const noexcept { return redactor_; }
    const enricher& additions() const noexcept { return enricher_; }
    const patterns& revenue_names() const noexcept { return revenue_names_; }

  private:
    struct compiled_rule {
        patterns names;
        treatment what;
    };
    treatment usual_;
    std::vector<compiled_rule> rules_;
    patterns revenue_names_;
    redactor redactor_;
    enricher enricher_;
};

} // namespace linkrunner::event
