#include "spool/mark_reader.hpp"

#include "spool/bytes.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::size_t chunk_bytes = 256 << 10;
constexpr std::size_t most_damage = 1000; // places that are remembered
} // namespace

mark_reader::mark_reader(disk_file& file, std::uint64_t offset, std::uint32_t salt, std::string& buffer)
    : file_(file), salt_(salt), buffer_(buffer), buffered_from_(offset) {}

std::string_view mark_reader::here() const noexcept {
    return std::string_view(buffer_).substr(at_, buffered_ - at_);
}

// Keeps what is left of the buffer and reads on behind it. False when there was no more.
bool mark_reader::fill() {
    if (at_end_) {
        return false;
    }
    const std::size_t left = buffered_ - at_;
    if (buffer_.size() < chunk_bytes) {
        buffer_.resize(chunk_bytes);
    }
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), left, buffer_.begin());
    buffered_from_ += at_;
    at_ = 0;
    buffered_ = left;
    const auto got =
        file_.read_at(buffered_from_ + left, std::span(buffer_.data() + left, buffer_.size() - left));
    if (!got) {
        failure_ = got.error();
        at_end_ = true;
        return false;
    }
    buffered_ += *got;
    at_end_ = *got == 0;
    return *got > 0;
}

std::optional<mark_view> mark_reader::next() {
    for (;;) {
        while (buffered_ - at_ < max_mark_bytes && fill()) {
        }
        if (buffered_ - at_ < min_mark_bytes) {
            return {};
        }
        if (const auto view = decode_mark(here(), salt_)) {
            if (skipped_from_ && damaged_.size() < most_damage) {
                damaged_.push_back({*skipped_from_, buffered_from_ + at_});
            }
            skipped_from_.reset();
            at_ += view->record.size();
            return view;
        }
        if (!skipped_from_ && !all_zero(here().substr(0, 8))) {
            skipped_from_ = buffered_from_ + at_;
        }
        at_ += 8;
    }
}

} // namespace linkrunner::spool
