// Owns a file descriptor. Room-internal.
#pragma once

#include <unistd.h>
#include <utility>

namespace linkrunner::net {

class unique_descriptor {
  public:
    explicit unique_descriptor(int number = -1) : number_(number) {}
    unique_descriptor(unique_descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    unique_descriptor& operator=(unique_descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    ~unique_descriptor() { reset(); }

    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    void reset() {
        if (number_ >= 0) {
            ::close(std::exchange(number_, -1));
        }
    }

  private:
    int number_;
};

} // namespace linkrunner::net
