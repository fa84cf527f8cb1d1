// The server's way in: arbitrary bytes as requests.
//
// 1. Read in one piece or byte by byte, the same requests are understood.
// 2. A connection fed with them over a socket pair never hangs, answers every request that its handler saw,
// and
//    says nothing but answers.
#include "base/error.hpp"
#include "net/connection.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace linkrunner;
using namespace linkrunner::net;
using progress = request_reader::progress;

constexpr std::size_t header_limit = 2048;
constexpr std::uint64_t body_limit = 1024;

std::shared_ptr<const listener_info> somewhere() {
    static const auto made = std::make_shared<const listener_info>();
    return made;
}

// All whole requests in `bytes`, offered in pieces of `piece` bytes, until something is wrong.
std::vector<std::string> understood(std::string_view bytes, std::size_t piece) {
    std::vector<std::string> all;
    request_reader reader(somewhere(), header_limit, body_limit);
    bool in_body = false;
    std::size_t begin = 0, end = 0;
    while (end < bytes.size()) {
        end = std::min(bytes.size(), end + piece);
        for (progress what = progress::head; what != progress::need_more && begin < end;) {
            const auto part = bytes.substr(begin, end - begin);
            const auto step = in_body ? reader.read_body(part) : reader.read_head(part);
            LINKRUNNER_INVARIANT(step.consumed <= part.size());
            begin += step.consumed;
            what = step.what;
            if (what == progress::bad) {
                return all;
            }
            in_body = in_body || what == progress::head;
            const bool whole = what == progress::whole || (what == progress::head && !reader.wants_body());
            if (whole) {
                all.push_back(std::string(reader.method()) + " " + std::string(reader.target()) + " " +
                              std::string(reader.header("host")) + " " + reader.body());
                reader.begin();
                in_body = false;
            }
        }
    }
    return all;
}

struct echo final : request_handler {
    std::optional<response> refuse_early(request& head) override {
        if (head.target() == "/refuse") {
            response made;
            made.status = 403;
            return made;
        }
        return std::nullopt;
    }
    void handle(request& whole, responder answer) override {
        ++handled;
        response made;
        made.body = std::move(whole.body());
        answer(std::move(made));
    }
    response protocol_error(int status, std::string_view code, std::string_view) override {
        response made;
        made.status = status;
        made.body = code;
        return made;
    }
    int handled = 0;
};

struct fuzz_host final : connection_host {
    fuzz_host(const server_settings& given, request_handler& served, asio_loop& owner)
        : connection_host(given, served), loop(owner) {}
    void closed(connection&) override { open = false; }
    void paused(std::shared_ptr<connection>) override {}
    void later(loop::task work) override { loop.post(std::move(work)); }
    asio_loop& loop;
    bool open = true;
};

void serve(std::string_view bytes) {
    int ends[2];
    LINKRUNNER_INVARIANT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    asio_loop loop;
    echo handler;
    server_settings settings;
    settings.max_header_bytes = header_limit;
    settings.max_body_bytes = body_limit;
    fuzz_host host(settings, handler, loop);
    stream_socket socket(loop.context());
    socket.assign({AF_UNIX, 0}, ends[0]);
    const auto served = std::make_shared<connection>(host, somewhere());
    LINKRUNNER_INVARIANT(::send(ends[1], bytes.data(), bytes.size(), 0) ==
                         static_cast<ssize_t>(bytes.size()));
    ::shutdown(ends[1], SHUT_WR);
    served->serve(std::move(socket), nullptr);
    loop.run();
    LINKRUNNER_INVARIANT(!host.open);
    std::string said(256 * 1024, '\0');
    const auto got = ::recv(ends[1], said.data(), said.size(), 0);
    said.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    LINKRUNNER_INVARIANT(said.empty() || said.starts_with("HTTP/1.1 "));
    LINKRUNNER_INVARIANT(handler.handled == 0 || !said.empty());
    ::close(ends[1]);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4000));
    const auto at_once = understood(bytes, bytes.size());
    LINKRUNNER_INVARIANT(understood(bytes, 1) == at_once);
    LINKRUNNER_INVARIANT(understood(bytes, 7) == at_once);
    serve(bytes);
    return 0;
}
