// What an upstream may answer: arbitrary bytes, read in one piece or byte by byte, mean the same.
#include "base/error.hpp"
#include "net/answer_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace linkrunner::net;
using progress = answer_reader::progress;

// The answer in `bytes`, if there is a whole one.
std::optional<std::string> understood(std::string_view bytes, std::size_t piece, bool bodiless) {
    answer_reader reader(2048, 1024);
    reader.begin(bodiless);
    std::size_t begin = 0, end = 0;
    while (end < bytes.size()) {
        end = std::min(bytes.size(), end + piece);
        const auto part = bytes.substr(begin, end - begin);
        const auto step = reader.read(part);
        LINKRUNNER_INVARIANT(step.consumed <= part.size());
        begin += step.consumed;
        if (step.what == progress::malformed || step.what == progress::too_large) {
            LINKRUNNER_INVARIANT(!reader.why().empty());
            return std::nullopt;
        }
        if (step.what == progress::whole) {
            break;
        }
        if (end == bytes.size() && !reader.end_of_stream()) {
            return std::nullopt;
        }
    }
    if (!reader.begun()) {
        return std::nullopt;
    }
    LINKRUNNER_INVARIANT(reader.status() >= 200 || reader.status() < 100);
    LINKRUNNER_INVARIANT(reader.body().size() <= 1024);
    const auto& headers = reader.headers();
    return std::to_string(reader.status()) + (reader.keep_alive() ? " keep " : " close ") +
           headers.retry_after + "|" + headers.date + "|" + headers.ratelimit_limit + "|" + reader.body();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4000));
    const bool bodiless = size % 8 == 0;
    const auto at_once = understood(bytes, std::max<std::size_t>(bytes.size(), 1), bodiless);
    LINKRUNNER_INVARIANT(understood(bytes, 1, bodiless) == at_once);
    LINKRUNNER_INVARIANT(understood(bytes, 5, bodiless) == at_once);
    return 0;
}
