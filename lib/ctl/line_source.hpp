// The lines of a file or of standard input, plain or gzip (told by its first bytes), in bounded memory.
// Failures are thrown as ctl::failure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace linkrunner::ctl {

inline constexpr std::size_t longest_line_bytes = 8 << 20; // what is longer is read, and not kept

struct text_line {
    std::uint64_t number = 0; // from 1
    std::string text;         // without its end
    bool too_long = false;    // then `text` is its beginning
};

class line_source {
  public:
    // "-" is standard input. A regular file is locked (flock(2)), so that it is not sent twice at once.
    explicit line_source(const std::string& path);
    ~line_source();

    std::optional<text_line> next(); // nothing at the end

    // Back to the beginning; of a file that can be read again only.
    void rewind();
    // Goes on behind line `number`, which ends at `offset`; to be called before next().
    void skip_to(std::uint64_t number, std::uint64_t offset);

    // Behind the last line, in the text as it is uncompressed.
    std::uint64_t offset() const;
    // For a progress bar: how much was read of the file, and how large that is (0: not known).
    std::uint64_t read_bytes() const;
    std::uint64_t total_bytes() const;

    bool is_file() const;          // one that can be read again
    std::string full_path() const; // of a file

  private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace linkrunner::ctl
