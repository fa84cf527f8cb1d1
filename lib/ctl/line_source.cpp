#include "ctl/line_source.hpp"

#include "ctl/failure.hpp"

#include <climits>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace linkrunner::ctl {

namespace {

constexpr std::size_t piece_bytes = 256 << 10;
constexpr int gzip_window = 15 + 16; // zlib: 16 more asks for the gzip wrapper

} // namespace

struct line_source::state {
    std::string path;
    int file = -1;
    bool regular = false;
    bool gzip = false;
    bool begun = false;
    bool ended = false; // of the file
    std::uint64_t total = 0;
    std::uint64_t read = 0;
    std::string raw;  // read and not inflated yet
    std::string text; // not given out yet, from `at` on
    std::size_t at = 0;
    std::uint64_t offset = 0;
    std::uint64_t number = 0;
    z_stream z{};
    bool member_ended = false;

    ~state() {
        if (gzip) {
            ::inflateEnd(&z);
        }
        if (file > STDIN_FILENO) {
            ::close(file);
        }
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw failure(exit_failed, (path == "-" ? "standard input" : path) + ": " + what);
    }

    void open() {
        if (path == "-") {
            file = STDIN_FILENO;
            return;
        }
        file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat facts{};
        if (file < 0 || ::fstat(file, &facts) != 0) {
            fail(std::generic_category().message(errno));
        }
        if (S_ISDIR(facts.st_mode)) {
            fail("is a directory");
        }
        regular = S_ISREG(facts.st_mode);
        total = regular ? static_cast<std::uint64_t>(facts.st_size) : 0;
        if (regular && ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            fail("another linkrunnerctl is sending it");
        }
    }

    // True when there is more in `raw` now.
    bool read_more() {
        if (ended) {
            return false;
        }
        const std::size_t before = raw.size();
        raw.resize(before + piece_bytes);
        // Not again after a signal: standard input may stay silent for ever.
        const ssize_t got = ::read(file, raw.data() + before, piece_bytes);
        if (got < 0) {
            fail(std::generic_category().message(errno));
        }
        raw.resize(before + static_cast<std::size_t>(got));
        read += static_cast<std::uint64_t>(got);
        ended = got == 0;
        return !ended;
    }

    void begin() {
        begun = true;
        while (raw.size() < 2 && read_more()) {
        }
        gzip = raw.starts_with("\x1F\x8B"); // RFC 1952 section 2.3.1
        if (gzip && ::inflateInit2(&z, gzip_window) != Z_OK) {
            gzip = false;
            fail("no memory to inflate it");
        }
    }

    // True when there is more in `text` now.
    bool fill() {
        if (!begun) {
            begin();
        }
        text.erase(0, std::exchange(at, 0));
        if (raw.empty() && !read_more()) {
            if (gzip && !member_ended) {
                fail("the gzip stream ends too early, after line " + std::to_string(number));
            }
            return false;
        }
        if (!gzip) {
            text += std::exchange(raw, {});
            return true;
        }
        inflate_some();
        return true;
    }

    void inflate_some() {
        if (std::exchange(member_ended, false)) {
            ::inflateReset(&z);
        }
        z.next_in = reinterpret_cast<Bytef*>(raw.data());
        z.avail_in = static_cast<uInt>(raw.size());
        const std::size_t before = text.size();
        text.resize(before + piece_bytes);
        z.next_out = reinterpret_cast<Bytef*>(text.data() + before);
        z.avail_out = piece_bytes;
        const int code = ::inflate(&z, Z_NO_FLUSH);
        text.resize(before + piece_bytes - z.avail_out);
        raw.erase(0, raw.size() - z.avail_in);
        member_ended = code == Z_STREAM_END;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            fail("the gzip stream is damaged after line " + std::to_string(number));
        }
    }
};

line_source::line_source(const std::string& path) : state_(std::make_unique<state>()) {
    state_->path = path;
    state_->open();
}

line_source::~line_source() = default;

std::optional<text_line> line_source::next() {
    state& s = *state_;
    text_line out;
    std::uint64_t passed = 0; // of a line that is too long
    for (;;) {
        const auto feed = s.text.find('\n', s.at);
        if (feed != std::string::npos) {
            if (!out.too_long) {
                out.text = s.text.substr(s.at, feed - s.at);
            }
            s.offset += passed + feed + 1 - s.at;
            s.at = feed + 1;
            break;
        }
        if (s.text.size() - s.at > longest_line_bytes) {
            if (!std::exchange(out.too_long, true)) {
                out.text = s.text.substr(s.at, longest_line_bytes);
            }
            passed += s.text.size() - s.at;
            s.text.clear();
            s.at = 0;
        }
        if (!s.fill()) {
            if (s.at == s.text.size() && passed == 0) {
                return std::nullopt;
            }
            if (!out.too_long) {
                out.text = s.text.substr(s.at);
            }
            s.offset += passed + s.text.size() - s.at;
            s.at = s.text.size();
            break;
        }
    }
    out.number = ++s.number;
    if (out.text.ends_with('\r')) {
        out.text.pop_back();
    }
    return out;
}

void line_source::rewind() {
    state& s = *state_;
    if (::lseek(s.file, 0, SEEK_SET) < 0) {
        s.fail(std::generic_category().message(errno));
    }
    if (std::exchange(s.gzip, false)) {
        ::inflateEnd(&s.z);
        s.z = {};
    }
    s.raw.clear();
    s.text.clear();
    s.begun = s.ended = s.member_ended = false;
    s.at = 0;
    s.read = s.offset = s.number = 0;
}

void line_source::skip_to(std::uint64_t number, std::uint64_t offset) {
    state& s = *state_;
    if (!s.begun) {
        s.begin();
    }
    if (s.regular && !s.gzip) {
        if (offset > s.total) {
            s.fail("is shorter than when it was sent in part; it is another file");
        }
        if (::lseek(s.file, static_cast<off_t>(offset), SEEK_SET) < 0) {
            s.fail(std::generic_category().message(errno));
        }
        s.raw.clear();
        s.ended = false;
        s.read = offset;
        s.offset = offset;
        s.number = number;
        return;
    }
    while (s.number < number) {
        if (!next()) {
            s.fail("has fewer lines than were sent of it before; it is another input");
        }
    }
}

std::uint64_t line_source::offset() const {
    return state_->offset;
}

std::uint64_t line_source::read_bytes() const {
    return state_->gzip ? state_->read - state_->raw.size() : state_->offset;
}

std::uint64_t line_source::total_bytes() const {
    return state_->total;
}

bool line_source::is_file() const {
    return state_->regular;
}

std::string line_source::full_path() const {
    char* found = ::realpath(state_->path.c_str(), nullptr);
    std::string out = found != nullptr ? found : state_->path;
    std::free(found);
    return out;
}

} // namespace linkrunner::ctl
