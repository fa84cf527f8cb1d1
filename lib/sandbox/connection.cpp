#include "sandbox/connection.hpp"

#include "sandbox/answer.hpp"
#include "sandbox/control.hpp"
#include "sandbox/http_text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

namespace linkrunner::sandbox {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t first_read_bytes = 16 * 1024;
constexpr std::size_t max_head_bytes = 64 * 1024;
constexpr std::chrono::seconds linger_time{2}; // for what the peer still sends after an early answer

template <class Stream>
class session final : public connection, public std::enable_shared_from_this<session<Stream>> {
  public:
    static constexpr bool is_tls = !std::is_same_v<Stream, tcp::socket>;

    template <class... Arguments>
    session(std::shared_ptr<connection_host> host, Arguments&&... arguments)
        : host_(std::move(host)), stream_(std::forward<Arguments>(arguments)...),
          timer_(stream_.get_executor()), in_(first_read_bytes) {
        host_->open.insert(this);
        ++host_->state.sums().connections;
        ++host_->state.sums().open_connections;
    }

    ~session() override {
        host_->open.erase(this);
        if (!host_->stopped) {
            --host_->state.sums().open_connections;
        }
    }

    void start() override {
        if constexpr (is_tls) {
            stream_.async_handshake(
                asio::ssl::stream_base::server,
                [self = this->shared_from_this()](error_code failure) { self->on_handshake(failure); });
        } else {
            read();
        }
    }

    void hold(std::chrono::milliseconds length) override {
        if (length.count() > 0) {
            end_after(length);
        }
        discard();
    }

    void abort() override {
        error_code ignored;
        timer_.cancel();
        socket().close(ignored);
    }

  private:
    using self_ptr = std::shared_ptr<session>;

    tcp::socket& socket() {
        if constexpr (is_tls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    void on_handshake(error_code failure) {
        if constexpr (is_tls) {
            if (host_->stopped) {
                return;
            }
            if (failure) {
                ++host_->state.sums().tls_failed;
                tell();
                return;
            }
            if (SSL_session_reused(stream_.native_handle()) == 1) {
                ++host_->state.sums().tls_resumed;
            }
        }
        read();
    }

    void read() {
        if (begin_ == filled_) {
            begin_ = filled_ = 0;
        }
        if (filled_ == in_.size()) {
            make_room();
        }
        stream_.async_read_some(asio::buffer(in_.data() + filled_, in_.size() - filled_),
                                [self = this->shared_from_this()](error_code failure, std::size_t size) {
                                    if (!failure && !self->host_->stopped) {
                                        self->filled_ += size;
                                        self->process();
                                    }
                                });
    }

    void make_room() {
        if (begin_ > 0) {
            std::memmove(in_.data(), in_.data() + begin_, filled_ - begin_);
            filled_ -= begin_;
            begin_ = 0;
        }
        if (filled_ > in_.size() / 2) {
            in_.resize(in_.size() * 2);
        }
    }

    // Answers every request that is there whole, then writes, then reads on.
    void process() {
        while (!closing_ && !special_) {
            const std::string_view have(in_.data() + begin_, filled_ - begin_);
            request_head head;
            const framing state = read_head(have, head);
            if (state == framing::malformed ||
                (state == framing::incomplete && have.size() > max_head_bytes)) {
                refuse_malformed();
            } else if (state == framing::incomplete || !take_request(have, head)) {
                break;
            }
        }
        flush();
    }

    void refuse_malformed() {
        reply what;
        what.status = 400;
        what.body = envelope(400, "Malformed HTTP request");
        what.at = host_->time.wall();
        append_answer(out_, what, true);
        closing_ = true;
    }

    // False when more has to be read first.
    bool take_request(std::string_view have, const request_head& head) {
        incoming request{head.method, head.target, head.key, head.content_type, {}, false};
        if (!head_asked_) {
            head_asked_ = true;
            if (auto early = host_->state.on_head(request, host_->time.steady(), host_->time.wall())) {
                early->how.connection_close = true;
                begin(std::move(*early), false);
                tell();
                return true;
            }
        }
        const std::size_t limit = host_->state.settings().max_body_bytes;
        std::size_t used = head.size;
        if (head.chunked) {
            const framing state = read_chunked(have.substr(head.size), chunks_, used);
            used += head.size;
            request.body = chunks_;
            request.oversized = chunks_.size() > limit;
            if (state == framing::malformed) {
                refuse_malformed();
                return true;
            }
            if (state == framing::incomplete && !request.oversized) {
                return invite(head);
            }
        } else if (head.content_length > limit) {
            request.oversized = true;
        } else {
            used += head.content_length;
            if (have.size() < used) {
                return invite(head);
            }
            request.body = have.substr(head.size, head.content_length);
        }
        handle(request, head, request.oversized ? have.size() : used);
        return true;
    }

    bool invite(const request_head& head) {
        if (head.expects_continue && !continued_) {
            continued_ = true;
            out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        }
        return false;
    }

    void handle(const incoming& request, const request_head& head, std::size_t used) {
        const steady_time now = host_->time.steady();
        const wall_time at = host_->time.wall();
        reply what = host_->state.call_at(request.target) ? host_->state.handle(request, now, at)
                                                          : answer_control(host_->state, request, now, at);
        what.how.connection_close |= request.oversized;
        begin_ += used;
        head_asked_ = continued_ = false;
        begin(std::move(what), head.close);
        tell();
    }

    void tell() {
        if (host_->changed) {
            host_->changed();
        }
    }

    void begin(reply what, bool client_closes) {
        const misbehaviour& how = what.how;
        const bool close =
            client_closes || how.connection_close || how.http_1_0 || how.garbage || how.truncated;
        if (how.delay.count() > 0 || how.ending != fault_ending::answer || how.slow_gap.count() > 0) {
            special_ = std::move(what);
            special_closes_ = close;
            return;
        }
        append_answer(out_, what, close && !how.truncated);
        closing_ = close;
    }

    void flush() {
        if (out_.empty()) {
            next();
            return;
        }
        asio::async_write(stream_, asio::buffer(out_),
                          [self = this->shared_from_this()](error_code failure, std::size_t) {
                              self->out_.clear();
                              if (!failure && !self->host_->stopped) {
                                  self->next();
                              }
                          });
    }

    void next() {
        if (closing_) {
            close_politely();
        } else if (special_) {
            wait_then_perform();
        } else {
            read();
        }
    }

    void wait_then_perform() {
        if (special_->how.delay.count() == 0) {
            perform();
            return;
        }
        timer_.expires_after(special_->how.delay);
        timer_.async_wait([self = this->shared_from_this()](error_code failure) {
            if (!failure && !self->host_->stopped) {
                self->perform();
            }
        });
    }

    void perform() {
        const reply what = std::move(*special_);
        special_.reset();
        switch (what.how.ending) {
        case fault_ending::hang:
            hold(what.how.hang_for);
            return;
        case fault_ending::reset:
            reset_socket(socket());
            return;
        case fault_ending::close:
            close_politely();
            return;
        case fault_ending::answer:
            break;
        }
        append_answer(out_, what, special_closes_ && !what.how.truncated);
        closing_ = special_closes_;
        if (what.how.slow_gap.count() > 0) {
            write_slowly(0, what.how.slow_gap);
        } else {
            process(); // pipelined requests go out behind the answer
        }
    }

    void write_slowly(std::size_t at, std::chrono::milliseconds gap) {
        if (at == out_.size()) {
            out_.clear();
            process();
            return;
        }
        asio::async_write(stream_, asio::buffer(out_.data() + at, 1),
                          [self = this->shared_from_this(), at, gap](error_code failure, std::size_t) {
                              if (!failure && !self->host_->stopped) {
                                  self->pause_slowly(at + 1, gap);
                              }
                          });
    }

    void pause_slowly(std::size_t at, std::chrono::milliseconds gap) {
        timer_.expires_after(gap);
        timer_.async_wait([self = this->shared_from_this(), at, gap](error_code failure) {
            if (!failure && !self->host_->stopped) {
                self->write_slowly(at, gap);
            }
        });
    }

    // FIN, then reads on for a while: closing with unread data would send RST and could destroy the answer.
    void close_politely() {
        error_code ignored;
        socket().shutdown(tcp::socket::shutdown_send, ignored);
        end_after(linger_time);
        discard();
    }

    void end_after(std::chrono::milliseconds length) {
        timer_.expires_after(length);
        timer_.async_wait([self = this->shared_from_this()](error_code failure) {
            if (!failure) {
                self->abort();
            }
        });
    }

    void discard() {
        socket().async_read_some(asio::buffer(in_),
                                 [self = this->shared_from_this()](error_code failure, std::size_t) {
                                     if (failure || self->host_->stopped) {
                                         self->abort();
                                     } else {
                                         self->discard();
                                     }
                                 });
    }

    std::shared_ptr<connection_host> host_;
    Stream stream_;
    asio::steady_timer timer_;
    std::vector<char> in_; // [begin_, filled_) is unread
    std::size_t begin_ = 0;
    std::size_t filled_ = 0;
    std::string out_;
    std::string chunks_;
    std::optional<reply> special_; // an answer that does not go out at once or not as one piece
    bool special_closes_ = false;
    bool closing_ = false;    // after what is in out_
    bool head_asked_ = false; // of the request being read
    bool continued_ = false;
};

} // namespace

std::shared_ptr<connection> make_connection(std::shared_ptr<connection_host> host, tcp::socket socket) {
    return std::make_shared<session<tcp::socket>>(std::move(host), std::move(socket));
}

std::shared_ptr<connection> make_connection(std::shared_ptr<connection_host> host, tcp::socket socket,
                                            asio::ssl::context& tls) {
    return std::make_shared<session<asio::ssl::stream<tcp::socket>>>(std::move(host), std::move(socket), tls);
}

void reset_socket(tcp::socket& socket) {
    error_code ignored;
    socket.set_option(tcp::socket::linger(true, 0), ignored);
    socket.close(ignored);
}

} // namespace linkrunner::sandbox
