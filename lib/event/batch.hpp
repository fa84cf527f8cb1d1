// Splits the body of a batch into the texts of its events, one at a time, so that long work can be done in
// slices.
#pragma once

#include "event/event.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace linkrunner::event {

enum class batch_format { array, ndjson };

struct batch_item {
    std::size_t index = 0;
    std::size_t offset = 0; // of `text` in the body
    std::string_view text;  // what should be one JSON value; parse_event decides
};

// The body must outlive the reader. Blank NDJSON lines are skipped and take no index; a line may end in CR
// LF.
class batch_reader {
  public:
    batch_reader(batch_format format, std::string_view body);

    // The next item; nothing at the end. A violation (array format only: the text between the items is not
    // JSON, or an item does not end) condemns the whole body; its line and column count from the start of the
    // body. Nothing comes after it.
    std::variant<batch_item, violation, std::monostate> next();

  private:
    std::variant<batch_item, violation, std::monostate> next_element();
    std::variant<batch_item, violation, std::monostate> next_line();
    violation condemn(std::size_t offset, std::string message);

    batch_format format_;
    std::string_view body_;
    std::size_t position_ = 0;
    std::size_t index_ = 0;
    bool begun_ = false;
    bool ended_ = false;
};

// True when the refusal of one item refuses the whole body: an array with an element that is not JSON
// (malformed_json, invalid_utf8) is not JSON itself. In NDJSON each line stands for itself.
bool condemns_body(batch_format format, const violation& why) noexcept;

// Makes the line and column of an item's violation count from the start of the body; leaves others alone. For
// a body that is condemned: the time is in proportion to the item's offset, too much for every bad line of
// many.
void locate_in_body(violation& why, std::string_view body, const batch_item& item);

// Line and column (from 1, column in bytes) of an offset.
void locate(std::string_view body, std::size_t offset, std::size_t& line, std::size_t& column);

} // namespace linkrunner::event
