// gzip bodies (RFC 1952), inflated by zlib step by step and never beyond a bound.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace linkrunner::intake {

class gzip_reader {
  public:
    enum class state { more, done, damaged, too_large };

    // Several members one after another are one body, as RFC 1952 section 2.2 says.
    gzip_reader(std::string compressed, std::uint64_t max_bytes);
    ~gzip_reader();

    // Inflates about 64 KiB more into output().
    state step();

    std::string& output() { return output_; }

  private:
    struct stream;
    std::string compressed_;
    std::uint64_t max_bytes_;
    std::unique_ptr<stream> stream_;
    std::string output_;
};

} // namespace linkrunner::intake
