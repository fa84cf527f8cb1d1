#include "spool/frame_reader.hpp"

#include "spool/bytes.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::size_t page_bytes = 4096;
}

frame_reader::frame_reader(disk_file& file, std::uint64_t offset, std::uint64_t end, std::uint32_t salt,
                           std::string& buffer, std::size_t chunk_bytes)
    : file_(file), offset_(offset), end_(end), salt_(salt), buffer_(buffer), chunk_bytes_(chunk_bytes) {}

std::string_view frame_reader::bytes_at(std::uint64_t offset, std::size_t length) {
    if (offset >= end_) {
        return {};
    }
    length = std::min<std::uint64_t>(length, end_ - offset);
    if (offset < buffered_from_ || offset + length > buffered_from_ + buffered_) {
        fill(offset, std::max(length, std::min<std::size_t>(chunk_bytes_, end_ - offset)));
    }
    const std::size_t skip = offset - buffered_from_;
    return std::string_view(buffer_).substr(0, buffered_).substr(std::min(skip, buffered_), length);
}

void frame_reader::fill(std::uint64_t offset, std::size_t length) {
    if (buffer_.size() < length) {
        buffer_.resize(length);
    }
    buffered_from_ = offset;
    const auto got = file_.read_at(offset, std::span(buffer_.data(), length));
    buffered_ = got ? *got : fill_by_pages(offset, length);
}

std::size_t frame_reader::fill_by_pages(std::uint64_t offset, std::size_t length) {
    for (std::size_t done = 0; done < length;) {
        const std::size_t step = std::min(page_bytes - (offset + done) % page_bytes, length - done);
        const auto got = file_.read_at(offset + done, std::span(buffer_.data() + done, step));
        if (!got) {
            std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(done), step, '\0');
            unreadable_bytes_ += step;
            if (!failure_) {
                failure_ = got.error();
            }
        } else if (*got < step) {
            return done + *got;
        }
        done += step;
    }
    return length;
}

std::optional<frame_head> frame_reader::head_here() {
    auto head = decode_head(bytes_at(offset_, frame_head_bytes), salt_);
    if (head && head->length_bytes > end_ - offset_) {
        head.reset();
    }
    return head;
}

// No frame begins here: on to the next place where one may, over zeros in larger steps.
void frame_reader::pass_gap() {
    constexpr std::size_t stretch = 512;
    offset_ += 8;
    while (offset_ + stretch <= end_ && all_zero(bytes_at(offset_, stretch))) {
        offset_ += stretch;
    }
}

std::optional<frame_reader::found> frame_reader::next() {
    skipped_ = {offset_, offset_};
    while (offset_ + frame_head_bytes <= end_) {
        const auto head = head_here();
        if (!head) {
            pass_gap();
            continue;
        }
        const std::uint64_t at = offset_;
        offset_ += head->padded_bytes();
        const std::string_view frame = bytes_at(at, head->length_bytes);
        if (intact(*head, frame, salt_)) {
            skipped_.to = at;
            return found{*head, at, frame};
        }
    }
    skipped_.to = end_;
    return {};
}

std::optional<frame_reader::found> frame_reader::find(sequence number) {
    while (offset_ + frame_head_bytes <= end_) {
        const auto head = head_here();
        if (!head) {
            pass_gap();
            continue;
        }
        const std::uint64_t at = offset_;
        if (head->type == frame_type::event && head->number > number) {
            return {};
        }
        offset_ += head->padded_bytes();
        if (head->type != frame_type::event || head->number != number) {
            continue;
        }
        const std::string_view frame = bytes_at(at, head->length_bytes);
        if (intact(*head, frame, salt_)) {
            return found{*head, at, frame};
        }
        return {};
    }
    return {};
}

} // namespace linkrunner::spool
