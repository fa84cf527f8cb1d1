#include "ctl/reject_file.hpp"

#include "base/utf8.hpp"
#include "ctl/failure.hpp"
#include "ctl/text.hpp"

#include <boost/json.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

constexpr std::size_t write_bytes = 64 << 10;

[[noreturn]] void fail(const std::string& name) {
    throw failure(exit_failed, name + ": " + std::generic_category().message(errno));
}

} // namespace

reject_file::reject_file(std::string name) : name_(std::move(name)) {
    struct stat facts{};
    if (!name_.empty() && ::stat(name_.c_str(), &facts) == 0) {
        bytes_ = static_cast<std::uint64_t>(facts.st_size);
    }
}

reject_file::reject_file(std::string name, std::uint64_t keep_bytes) : reject_file(std::move(name)) {
    if (bytes_ > keep_bytes) {
        cut(keep_bytes);
    }
}

reject_file::~reject_file() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

void reject_file::open() {
    if (file_ < 0) {
        file_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file_ < 0) {
            fail(name_);
        }
    }
}

void reject_file::add(const text_line& line, const std::string& code, const std::string& message,
                      const std::string& pointer) {
    if (name_.empty()) {
        std::fprintf(stderr, "line %llu: %s: %s%s%s\n", static_cast<unsigned long long>(line.number),
                     code.c_str(), printable(message).c_str(), pointer.empty() ? "" : " at ",
                     printable(pointer).c_str());
        return;
    }
    // The line as a text: it may be no JSON.
    const boost::json::object whole{{"line", line.number},
                                    {"code", code},
                                    {"msg", message},
                                    {"pointer", pointer},
                                    {"text", as_utf8(line.text)}};
    unwritten_ += boost::json::serialize(whole) + "\n";
    if (unwritten_.size() >= write_bytes) {
        flush();
    }
}

void reject_file::flush() {
    if (unwritten_.empty()) {
        return;
    }
    open();
    if (::write(file_, unwritten_.data(), unwritten_.size()) != static_cast<ssize_t>(unwritten_.size())) {
        fail(name_);
    }
    bytes_ += unwritten_.size();
    unwritten_.clear();
}

void reject_file::cut(std::uint64_t to_bytes) {
    unwritten_.clear();
    if (!name_.empty() && bytes_ > to_bytes) {
        if (::truncate(name_.c_str(), static_cast<off_t>(to_bytes)) != 0) {
            fail(name_);
        }
        bytes_ = to_bytes;
    }
}

} // namespace linkrunner::ctl
