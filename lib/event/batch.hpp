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
    std::string_view text;  // one JSON value, not validated yet
};

// The body must outlive the reader. Blank NDJSON lines are skipped and take no index; a line may end in CR
// LF.
class batch_reader {
  public:
    batch_reader(batch_format format, std::string_view body);

    // The next item; nothing at the end. A violation (array format only: the text between the items is not
    // JSON) condemns the whole body; its line and column count from the start of the body.
    std::variant<batch_item, violation, std::monostate> next();

  private:
    batch_format format_;
    std::string_view body_;
    std::size_t position_ = 0;
    std::size_t index_ = 0;
    bool begun_ = false;
};

// Line and column (from 1, column in bytes) of an offset.
void locate(std::string_view body, std::size_t offset, std::size_t& line, std::size_t& column);

} // namespace linkrunner::event
