#include "intake/inflate.hpp"

#include "base/error.hpp"

#include <zlib.h>

#include <array>

namespace linkrunner::intake {

namespace {

constexpr std::size_t step_bytes = 64 * 1024;
constexpr int gzip_window = 15 + 16; // zlib: 16 more asks for the gzip wrapper

} // namespace

struct gzip_reader::stream {
    z_stream z{};
    bool member_ended = false;
};

gzip_reader::gzip_reader(std::string compressed, std::uint64_t max_bytes)
    : compressed_(std::move(compressed)), max_bytes_(max_bytes), stream_(std::make_unique<stream>()) {
    stream_->z.next_in = reinterpret_cast<Bytef*>(compressed_.data());
    stream_->z.avail_in = static_cast<uInt>(compressed_.size());
    const int ready = inflateInit2(&stream_->z, gzip_window);
    LINKRUNNER_INVARIANT(ready == Z_OK);
}

gzip_reader::~gzip_reader() {
    inflateEnd(&stream_->z);
}

gzip_reader::state gzip_reader::step() {
    z_stream& z = stream_->z;
    if (stream_->member_ended) {
        if (z.avail_in == 0) {
            return state::done;
        }
        inflateReset(&z);
        stream_->member_ended = false;
    }
    const std::size_t before = output_.size();
    output_.resize(before + step_bytes);
    z.next_out = reinterpret_cast<Bytef*>(output_.data() + before);
    z.avail_out = step_bytes;
    const int code = inflate(&z, Z_NO_FLUSH);
    output_.resize(before + step_bytes - z.avail_out);
    if (output_.size() > max_bytes_) {
        return state::too_large;
    }
    if (code == Z_STREAM_END) {
        stream_->member_ended = true;
        return z.avail_in == 0 ? state::done : state::more;
    }
    // Z_BUF_ERROR: the input ended inside a member.
    return code == Z_OK ? state::more : state::damaged;
}

} // namespace linkrunner::intake
