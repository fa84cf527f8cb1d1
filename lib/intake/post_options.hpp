// What a POST asks for beside its body: route, format, encoding, waiting, idempotency key.
#pragma once

#include "event/event.hpp"
#include "intake/envelope.hpp"
#include "net/message.hpp"
#include "telemetry/trace_ids.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace linkrunner::intake {

// /v1/events takes every call; a drop-in path, that of the API itself, the one that it is named after.
struct route {
    event::call only = event::any_call;
    bool is_drop_in() const noexcept { return only.has_value(); }
};

// The route of a path, or nothing.
std::optional<route> find_route(std::string_view path) noexcept;

enum class body_format { json, ndjson };

struct post_options {
    route where;
    body_format format = body_format::json;
    bool gzip = false;
    std::optional<std::chrono::milliseconds> wait; // ?wait=delivered
    bool relayed = false;                          // by another linkrunnerd
    std::string idempotency_key;
    std::optional<telemetry::trace_id> trace; // of the header traceparent
};

// Reads path, query and headers; the refusal (400, 404, 405, 415) where they do not make sense.
std::variant<post_options, coded_refusal> read_options(const net::request& head);

} // namespace linkrunner::intake
