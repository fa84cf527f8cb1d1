// Changes to a text at places of it; what no change touches stays byte for byte. Private to this folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

class edits {
  public:
    // `text` is what the places of the changes point into; it must outlive this.
    explicit edits(std::string_view text) : text_(text) {}

    // `place` lies within the text; an empty one is where `with` is inserted.
    void replace(std::string_view place, std::string with);
    void insert_before(const char* place, std::string text) { replace({place, 0}, std::move(text)); }

    bool empty() const noexcept { return all_.empty(); }

    // The text with the changes. One that lies within an earlier one does not happen; of two at the same
    // place with the same length the first does; insertions at one place keep their order.
    std::string apply();

  private:
    struct change {
        std::size_t offset = 0;
        std::size_t length = 0;
        std::size_t order = 0;
        std::string with;
    };

    std::string_view text_;
    std::vector<change> all_;
};

} // namespace linkrunner::event
