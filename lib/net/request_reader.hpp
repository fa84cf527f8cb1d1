// Reads one HTTP/1.1 request after another from bytes, and is the request that a handler sees. Room-internal;
// no input or output of its own.
//
// Framing is strict (RFC 9112): what two readers could understand differently is an error, because a proxy in
// front of us may be the other reader.
#pragma once

#include "net/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::net {

class request_reader final : public request {
  public:
    enum class progress : std::uint8_t { need_more, head, whole, bad };

    struct step {
        progress what = progress::need_more;
        std::size_t consumed = 0;
    };

    // Why the request is bad, as an answer's status and words.
    struct fault {
        int status = 400;
        const char* code = "malformed_request";
        std::string message;
    };

    request_reader(std::shared_ptr<const listener_info> listener, std::size_t max_header_bytes,
                   std::uint64_t max_body_bytes);
    ~request_reader() override;

    // Forgets the request before; the next byte begins a new one.
    void begin();
    void limit_body(std::uint64_t max_bytes); // of the requests from here on; after begin()
    // Feeds the head until `head`, then, when wants_body(), the body until `whole`. Bytes that were not
    // consumed must be offered again, with more after them.
    step read_head(std::string_view bytes);
    step read_body(std::string_view bytes);
    const fault& why() const;

    // Of a complete head:
    bool wants_body() const;                             // a body follows
    std::optional<std::uint64_t> content_length() const; // none: chunked, or no body at all
    bool lacks_length() const;                           // POST, PUT, PATCH without any framing: 411
    bool expects_continue() const;
    bool keep_alive() const;
    bool is_http_1_0() const;
    std::uint64_t body_bytes_read() const;
    // From here on the body is read and thrown away.
    void discard_body();

    std::string_view method() const override;
    std::string_view target() const override;
    std::string_view header(std::string_view name) const override;
    std::size_t header_count(std::string_view name) const override;
    std::string& body() override;
    const listener_info& listener() const override { return *listener_; }
    std::optional<peer_credentials> peer() const override { return peer_; }
    void set_peer(std::optional<peer_credentials> who) { peer_ = who; }

  private:
    class parser;
    std::shared_ptr<const listener_info> listener_;
    std::optional<peer_credentials> peer_;
    std::unique_ptr<parser> parser_;
};

} // namespace linkrunner::net
