// To which trace of its caller an event belongs, for log lines: the trace id of the W3C header `traceparent`
// (Trace Context, section 3.2.2) by the event's accept number. In memory only, and bounded: where there is no
// room the oldest is forgotten, and after a restart none is known. Lives on the loop's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace linkrunner::telemetry {

using trace_id = std::array<char, 32>; // lower case hexadecimal

// Of a header's value; nothing where it is not valid, as it is to be ignored then.
std::optional<trace_id> trace_id_of(std::string_view traceparent) noexcept;

class trace_ids {
  public:
    explicit trace_ids(std::size_t most = 65'536) : most_(most) {}

    void remember(std::uint64_t number, const trace_id& id);
    void forget(std::uint64_t number) { known_.erase(number); }
    std::string_view of(std::uint64_t number) const; // "" where it is not known; valid until the next change

  private:
    std::size_t most_;
    std::map<std::uint64_t, trace_id> known_;
};

} // namespace linkrunner::telemetry
