#include "ctl/send_state.hpp"

#include "base/hash.hpp"
#include "ctl/failure.hpp"
#include "ctl/fields.hpp"

#include <boost/json.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

constexpr int format_version = 1;

[[noreturn]] void fail(const std::string& file, const std::string& what) {
    throw failure(exit_failed, "the state file " + file + ": " + what);
}

} // namespace

std::optional<send_state> read_state(const std::string& file) {
    std::ifstream from(file, std::ios::binary);
    if (!from) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        fail(file, std::generic_category().message(errno));
    }
    std::ostringstream text;
    text << from.rdbuf();
    boost::system::error_code broken;
    const json::value whole = json::parse(text.str(), broken);
    if (broken || count_at(whole, "/version") != format_version || text_at(whole, "/key").empty()) {
        fail(file, "is not one of this linkrunnerctl's; remove it to send the whole input again");
    }
    send_state out;
    out.key = text_at(whole, "/key");
    out.line = count_at(whole, "/line");
    out.offset = count_at(whole, "/offset");
    out.accepted = count_at(whole, "/accepted");
    out.duplicates = count_at(whole, "/duplicates");
    out.filtered = count_at(whole, "/filtered");
    out.rejected = count_at(whole, "/rejected");
    out.reject_bytes = count_at(whole, "/reject_bytes");
    out.done = flag_at(whole, "/done");
    return out;
}

void write_state(const std::string& file, const send_state& state) {
    const json::object whole{
        {"version", format_version},  {"key", state.key},           {"line", state.line},
        {"offset", state.offset},     {"accepted", state.accepted}, {"duplicates", state.duplicates},
        {"filtered", state.filtered}, {"rejected", state.rejected}, {"reject_bytes", state.reject_bytes},
        {"done", state.done}};
    const std::string text = json::serialize(whole) + "\n";
    const std::string next = file + ".new";
    const int made = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = made >= 0 &&
                         ::write(made, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fdatasync(made) == 0;
    const int why = errno;
    if (made >= 0) {
        ::close(made);
    }
    if (!written) {
        fail(file, std::generic_category().message(why));
    }
    if (std::rename(next.c_str(), file.c_str()) != 0) {
        fail(file, std::generic_category().message(errno));
    }
}

std::string key_for(const std::string& full_path, const std::string& first_line) {
    const fingerprint hash = hash128(0, {full_path, first_line});
    char out[40];
    std::snprintf(out, sizeof out, "ctl-%016llx%016llx", static_cast<unsigned long long>(hash.high),
                  static_cast<unsigned long long>(hash.low));
    return out;
}

} // namespace linkrunner::ctl
