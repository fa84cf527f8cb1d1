#include "net/request_reader.hpp"

#include "net/request_fields.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <utility>

namespace linkrunner::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using beast_view = boost::beast::string_view;

constexpr std::size_t kept_body_bytes = 64 * 1024; // a larger body's memory is given back
constexpr std::size_t max_chunk_head_bytes = 4096; // size line with extensions, and trailers
constexpr std::size_t min_chunked_rest =
    5; // "0\r\n\r\n"; Beast asserts it when the last chunk comes in pieces

std::string_view view(beast_view text) {
    return {text.data(), text.size()};
}

// A method is a token (RFC 9110 section 9.1). Looked at early, so that TLS or other noise on a plain port is
// answered instead of waited for.
bool may_begin_request(std::string_view bytes) {
    const auto word = bytes.substr(0, std::min<std::size_t>(bytes.find(' '), 32));
    return !word.empty() && word.size() < 32 && std::ranges::all_of(word, is_token_character);
}

} // namespace

// Collects what Beast finds. Beast hands out views into its input, so names and values are copied.
class request_reader::parser {
  public:
    class sink final : public http::basic_parser<true> {
      public:
        explicit sink(parser& owner) : owner_(owner) {
            body_limit(boost::none); // ours, with better words
            header_limit(static_cast<std::uint32_t>(owner.max_header_bytes));
        }

      private:
        void on_request_impl(http::verb, beast_view method, beast_view target, int version,
                             error_code& failure) override {
            if (!owner_.fields.set_request_line(view(method), view(target), version)) {
                owner_.reason.message = "the request target is malformed";
                failure = http::error::bad_target;
            }
        }
        void on_response_impl(int, beast_view, int, error_code&) override {}
        void on_field_impl(http::field, beast_view name, beast_view value, error_code&) override {
            if (!is_header_done()) { // a trailer must not pass for a header that was checked already
                owner_.fields.add(view(name), view(value));
            }
        }
        void on_header_impl(error_code&) override {}
        void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
        std::size_t on_body_impl(beast_view bytes, error_code& failure) override {
            return owner_.take(view(bytes), failure);
        }
        void on_chunk_header_impl(std::uint64_t, beast_view, error_code&) override {}
        std::size_t on_chunk_body_impl(std::uint64_t, beast_view bytes, error_code& failure) override {
            return owner_.take(view(bytes), failure);
        }
        void on_finish_impl(error_code&) override {}

        parser& owner_;
    };

    parser(std::size_t header_bytes, std::uint64_t body_bytes)
        : max_header_bytes(header_bytes), max_body_bytes(body_bytes) {}

    void begin() {
        beast.emplace(*this);
        fields.clear();
        if (body.capacity() > kept_body_bytes) {
            std::string().swap(body);
        }
        body.clear();
        head_bytes = 0;
        body_bytes = 0;
        discarding = false;
        reason = {};
    }

    step bad(int status, const char* code, std::string message) {
        reason = {status, code, std::move(message)};
        return {progress::bad, 0};
    }

    step too_large() {
        return bad(413, "body_too_large",
                   "the body is larger than " + std::to_string(max_body_bytes) + " bytes");
    }

    step header_too_large() {
        return bad(431, "headers_too_large",
                   "the headers are larger than " + std::to_string(max_header_bytes) + " bytes");
    }

    std::size_t take(std::string_view bytes, error_code& failure) {
        body_bytes += bytes.size();
        if (discarding) {
            return bytes.size();
        }
        if (body_bytes > max_body_bytes) {
            failure = http::error::body_limit;
            return 0;
        }
        body.append(bytes);
        return bytes.size();
    }

    step read_head(std::string_view bytes);
    step read_body(std::string_view bytes);

    const std::size_t max_header_bytes;
    std::uint64_t max_body_bytes;
    std::optional<sink> beast;
    request_fields fields;
    std::string body;
    std::size_t head_bytes = 0;
    std::uint64_t body_bytes = 0;
    bool discarding = false;
    fault reason;
};

request_reader::step request_reader::parser::read_head(std::string_view bytes) {
    if (head_bytes == 0 && !may_begin_request(bytes)) {
        return bad(400, "malformed_request", "this is not an HTTP/1.1 request");
    }
    error_code failure;
    beast->eager(false); // the head alone: whether the body is wanted is not known yet
    const auto consumed = beast->put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    head_bytes += consumed;
    if (failure == http::error::header_limit || head_bytes > max_header_bytes ||
        (failure == http::error::need_more && head_bytes + (bytes.size() - consumed) > max_header_bytes)) {
        return header_too_large();
    }
    if (failure == http::error::need_more) {
        return {progress::need_more, consumed};
    }
    if (failure) {
        return bad(400, "malformed_request",
                   reason.message.empty() ? "malformed HTTP: " + failure.message() : reason.message);
    }
    if (const char* wrong = fields.what_is_wrong(); wrong != nullptr) {
        return bad(400, "malformed_request", wrong);
    }
    return {progress::head, consumed};
}

request_reader::step request_reader::parser::read_body(std::string_view bytes) {
    if (beast->is_done()) {
        return {progress::whole, 0};
    }
    if (const auto length = beast->content_length(); length && *length > max_body_bytes && !discarding) {
        return too_large();
    }
    if (bytes.size() < (beast->chunked() ? min_chunked_rest : 1)) {
        return {};
    }
    error_code failure;
    beast->eager(true);
    const auto consumed = beast->put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    if (failure == http::error::body_limit) {
        return too_large();
    }
    if (failure && failure != http::error::need_more) {
        return bad(400, "malformed_request", "malformed HTTP: " + failure.message());
    }
    if (beast->is_done()) {
        return {progress::whole, consumed};
    }
    if (bytes.size() - consumed > max_chunk_head_bytes) {
        return bad(400, "malformed_request", "chunk extensions or trailers are too long");
    }
    return {progress::need_more, consumed};
}

request_reader::request_reader(std::shared_ptr<const listener_info> listener, std::size_t max_header_bytes,
                               std::uint64_t max_body_bytes)
    : listener_(std::move(listener)), parser_(std::make_unique<parser>(max_header_bytes, max_body_bytes)) {
    parser_->begin();
}

request_reader::~request_reader() = default;

void request_reader::begin() {
    parser_->begin();
}

void request_reader::limit_body(std::uint64_t max_bytes) {
    parser_->max_body_bytes = max_bytes;
}

request_reader::step request_reader::read_head(std::string_view bytes) {
    return parser_->read_head(bytes);
}

request_reader::step request_reader::read_body(std::string_view bytes) {
    return parser_->read_body(bytes);
}

const request_reader::fault& request_reader::why() const {
    return parser_->reason;
}

bool request_reader::wants_body() const {
    return !parser_->beast->is_done();
}

std::optional<std::uint64_t> request_reader::content_length() const {
    const auto length = parser_->beast->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

bool request_reader::lacks_length() const {
    const auto name = method();
    return (name == "POST" || name == "PUT" || name == "PATCH") && !content_length() &&
           !parser_->beast->chunked();
}

bool request_reader::expects_continue() const {
    return !is_http_1_0() && equal_ignoring_case(header("expect"), "100-continue");
}

bool request_reader::keep_alive() const {
    return parser_->beast->keep_alive();
}

bool request_reader::is_http_1_0() const {
    return parser_->fields.version() == 10;
}

std::uint64_t request_reader::body_bytes_read() const {
    return parser_->body_bytes;
}

void request_reader::discard_body() {
    parser_->discarding = true;
}

std::string_view request_reader::method() const {
    return parser_->fields.method();
}

std::string_view request_reader::target() const {
    return parser_->fields.target();
}

std::string_view request_reader::header(std::string_view name) const {
    return parser_->fields.find(name);
}

std::size_t request_reader::header_count(std::string_view name) const {
    return parser_->fields.count(name);
}

std::string& request_reader::body() {
    return parser_->body;
}

} // namespace linkrunner::net
