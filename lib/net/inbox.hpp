// Bytes received and not yet understood, in one piece. Room-internal.
#pragma once

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace linkrunner::net {

class inbox {
  public:
    static constexpr std::size_t small_bytes = 4 * 1024; // what an idle connection keeps

    std::string_view readable() const { return {memory_.get() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }

    void consume(std::size_t bytes) {
        begin_ += bytes;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }

    // Room for at least `wanted` more bytes behind the readable ones.
    boost::asio::mutable_buffer prepare(std::size_t wanted) {
        if (capacity_ - end_ < wanted) {
            make_room(wanted);
        }
        return {memory_.get() + end_, capacity_ - end_};
    }

    void commit(std::size_t bytes) { end_ += bytes; }

    // Gives back the memory that a large body needed, if nothing is in it.
    void shrink() {
        if (empty() && capacity_ > small_bytes) {
            memory_.reset();
            capacity_ = 0;
        }
    }

  private:
    void make_room(std::size_t wanted) {
        const auto held = end_ - begin_;
        if (capacity_ - held < wanted) {
            const auto capacity = std::max(small_bytes, held + wanted);
            auto larger = std::make_unique_for_overwrite<char[]>(capacity);
            std::copy_n(memory_.get() + begin_, held, larger.get());
            memory_ = std::move(larger);
            capacity_ = capacity;
        } else if (held > 0) {
            std::memmove(memory_.get(), memory_.get() + begin_, held);
        }
        begin_ = 0;
        end_ = held;
    }

    std::unique_ptr<char[]> memory_;
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

} // namespace linkrunner::net
