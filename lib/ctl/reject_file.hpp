// Where lines go that the intake refuses: one JSON object each, with the line, its number and the reason.
// Without a file name, to standard error. Failures are thrown as ctl::failure.
#pragma once

#include "ctl/line_source.hpp"

#include <cstdint>
#include <string>

namespace linkrunner::ctl {

class reject_file {
  public:
    // Appends to what is there; with `keep_bytes`, what lies beyond is of an interrupted run, and goes.
    explicit reject_file(std::string name);
    reject_file(std::string name, std::uint64_t keep_bytes);
    ~reject_file();
    reject_file(const reject_file&) = delete;
    reject_file& operator=(const reject_file&) = delete;

    void add(const text_line& line, const std::string& code, const std::string& message,
             const std::string& pointer);
    void flush();
    void cut(std::uint64_t to_bytes);
    std::uint64_t bytes() const { return bytes_; }

  private:
    void open();

    std::string name_;
    int file_ = -1; // opened with the first line
    std::uint64_t bytes_ = 0;
    std::string unwritten_;
};

} // namespace linkrunner::ctl
