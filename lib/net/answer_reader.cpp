#include "net/answer_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>

namespace linkrunner::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using beast_view = boost::beast::string_view;

constexpr std::size_t min_chunked_rest =
    5; // "0\r\n\r\n"; Beast asserts it when the last chunk comes in pieces

std::string_view view(beast_view text) {
    return {text.data(), text.size()};
}

bool equal(std::string_view left, std::string_view right) {
    return boost::beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

} // namespace

class answer_reader::parser {
  public:
    class sink final : public http::basic_parser<false> {
      public:
        explicit sink(parser& owner) : owner_(owner) {
            body_limit(boost::none); // ours, with better words
            header_limit(static_cast<std::uint32_t>(owner.max_header_bytes));
            eager(true);
        }

      private:
        void on_request_impl(http::verb, beast_view, beast_view, int, error_code&) override {}
        void on_response_impl(int code, beast_view, int, error_code&) override { owner_.status = code; }
        void on_field_impl(http::field, beast_view name, beast_view value, error_code&) override {
            if (!is_header_done()) { // trailers are no headers
                owner_.take_field(view(name), view(value));
            }
        }
        void on_header_impl(error_code&) override {}
        void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& failure) override {
            if (length && *length > owner_.max_body_bytes) {
                failure = http::error::body_limit;
            }
        }
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

    parser(std::size_t header_bytes, std::size_t body_bytes)
        : max_header_bytes(header_bytes), max_body_bytes(body_bytes) {}

    void begin(bool without_body) {
        bodiless = without_body;
        begun = false;
        head_bytes = 0;
        body = {};
        why.clear();
        next();
    }

    // A final answer, or another after a 1xx.
    void next() {
        beast.emplace(*this);
        beast->skip(bodiless);
        status = 0;
        headers = {};
    }

    void take_field(std::string_view name, std::string_view value) {
        const auto first = [value](std::string& slot) {
            if (slot.empty()) {
                slot = value;
            }
        };
        const auto joined = [value](std::string& slot) {
            slot.append(slot.empty() ? "" : ", ").append(value);
        };
        if (equal(name, "ratelimit")) {
            joined(headers.ratelimit);
        } else if (equal(name, "ratelimit-policy")) {
            joined(headers.ratelimit_policy);
        } else if (equal(name, "retry-after")) {
            first(headers.retry_after);
        } else if (equal(name, "date")) {
            first(headers.date);
        } else {
            const auto bare = equal(name.substr(0, 2), "x-") ? name.substr(2) : name;
            if (equal(bare, "ratelimit-limit")) {
                first(headers.ratelimit_limit);
            } else if (equal(bare, "ratelimit-remaining")) {
                first(headers.ratelimit_remaining);
            } else if (equal(bare, "ratelimit-reset")) {
                first(headers.ratelimit_reset);
            }
        }
    }

    std::size_t take(std::string_view bytes, error_code& failure) {
        if (body.size() + bytes.size() > max_body_bytes) {
            failure = http::error::body_limit;
            return 0;
        }
        body.append(bytes);
        return bytes.size();
    }

    step failed(progress what, std::string reason) {
        why = std::move(reason);
        return {what, 0};
    }

    step read(std::string_view bytes);
    std::size_t put(std::string_view bytes, error_code& failure);

    const std::size_t max_header_bytes, max_body_bytes;
    std::optional<sink> beast;
    bool bodiless = false;
    bool begun = false;
    std::size_t head_bytes = 0; // with those of 1xx answers, so that they have an end
    int status = 0;
    fields headers;
    std::string body;
    std::string why;
};

// The head alone, or as much of the body as there is.
std::size_t answer_reader::parser::put(std::string_view bytes, error_code& failure) {
    const bool in_head = !beast->is_header_done();
    beast->eager(!in_head);
    const auto consumed = beast->put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    head_bytes += in_head ? consumed : 0;
    const auto unread = failure == http::error::need_more ? bytes.size() - consumed : 0;
    if (unread + (in_head ? head_bytes : 0) > max_header_bytes) {
        failure = http::error::header_limit;
    }
    return consumed;
}

answer_reader::step answer_reader::parser::read(std::string_view bytes) {
    for (std::size_t consumed = 0;;) {
        if (beast->is_done()) {
            if (status / 100 != 1) {
                return {progress::whole, consumed};
            }
            if (status == 101) {
                return failed(progress::malformed, "the protocol was switched without having been asked");
            }
            next();
        }
        if (consumed == bytes.size()) {
            return {progress::need_more, consumed};
        }
        begun = true;
        const bool in_chunks = beast->is_header_done() && beast->chunked();
        if (in_chunks && bytes.size() - consumed < min_chunked_rest) {
            return {progress::need_more, consumed};
        }
        error_code failure;
        consumed += put(bytes.substr(consumed), failure);
        if (failure == http::error::need_more) {
            return {progress::need_more, consumed};
        }
        if (failure == http::error::header_limit) {
            return failed(progress::too_large, "headers over " + std::to_string(max_header_bytes) + " bytes");
        }
        if (failure == http::error::body_limit) {
            return failed(progress::too_large, "a body over " + std::to_string(max_body_bytes) + " bytes");
        }
        if (failure) {
            return failed(progress::malformed, failure.message());
        }
    }
}

answer_reader::answer_reader(std::size_t max_header_bytes, std::size_t max_body_bytes)
    : parser_(std::make_unique<parser>(max_header_bytes, max_body_bytes)) {}

answer_reader::~answer_reader() = default;

void answer_reader::begin(bool bodiless) {
    parser_->begin(bodiless);
}

answer_reader::step answer_reader::read(std::string_view bytes) {
    return parser_->read(bytes);
}

bool answer_reader::end_of_stream() {
    if (!parser_->begun || !parser_->beast->got_some() || !parser_->beast->is_header_done()) {
        return false;
    }
    error_code failure;
    parser_->beast->put_eof(failure);
    return !failure;
}

bool answer_reader::begun() const {
    return parser_->begun;
}

bool answer_reader::keep_alive() const {
    return parser_->beast->keep_alive();
}

int answer_reader::status() const {
    return parser_->status;
}

answer_reader::fields& answer_reader::headers() {
    return parser_->headers;
}

std::string& answer_reader::body() {
    return parser_->body;
}

const std::string& answer_reader::why() const {
    return parser_->why;
}

} // namespace linkrunner::net
