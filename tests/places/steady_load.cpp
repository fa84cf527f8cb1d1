// Clients that go on posting events until SIGTERM, and count whatever a client could take amiss: over
// keep-alive connections and new ones, TCP and Unix sockets, with pauses of several lengths. No request is
// ever sent again, so each failure counts; a connection that the server has closed between two requests is
// opened anew, as every client does.
//
//   steady_load PREFIX ADDRESS...     an address is 127.0.0.1:7417 or unix:/path
//
// At the end one line of JSON: "answered" with success, "refused" connections, "failed" requests,
// "connections", "longest_ms" that anybody waited, and "first_failure" in words.
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds patience{20'000}; // with one request

struct sums {
    std::atomic<long> answered{0}, refused{0}, failed{0}, connections{0}, longest_ms{0};
    std::mutex mutex;
    std::string first_failure;

    void failure(std::atomic<long>& kind, const std::string& what) {
        ++kind;
        const std::lock_guard lock(mutex);
        if (first_failure.empty()) {
            first_failure = what;
        }
    }
};

struct style {
    bool keep_alive;
    milliseconds pause;
};

std::atomic<bool> stopping{false};
sums all;

class client {
  public:
    client(std::string address, style how, std::string name)
        : address_(std::move(address)), how_(how), name_(std::move(name)) {}
    ~client() { hang_up(); }
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    void run() {
        while (!stopping) {
            // The pause, or its end when the server closes.
            pollfd watched{socket_, POLLIN, 0};
            if (::poll(&watched, 1, static_cast<int>(how_.pause.count())) > 0) {
                hang_up();
            }
            const auto began = steady_clock::now();
            if (socket_ < 0 && !open()) {
                continue;
            }
            post(began);
            if (!how_.keep_alive) {
                hang_up();
            }
        }
    }

  private:
    // As programs with an event loop do it: a full queue of the kernel refuses a Unix socket's client.
    bool open() {
        const bool is_unix = address_.starts_with("unix:");
        socket_ = ::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int status = 0;
        if (is_unix) {
            sockaddr_un where{};
            where.sun_family = AF_UNIX;
            address_.copy(where.sun_path, sizeof where.sun_path - 1, 5);
            status = ::connect(socket_, reinterpret_cast<sockaddr*>(&where), sizeof where);
        } else {
            const auto colon = address_.rfind(':');
            sockaddr_in where{};
            where.sin_family = AF_INET;
            where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address_.substr(colon + 1))));
            ::inet_pton(AF_INET, address_.substr(0, colon).c_str(), &where.sin_addr);
            status = ::connect(socket_, reinterpret_cast<sockaddr*>(&where), sizeof where);
        }
        int failure = status == 0 ? 0 : errno;
        if (failure == EINPROGRESS) {
            failure = await(POLLOUT) ? 0 : ETIMEDOUT;
            socklen_t size = sizeof failure;
            if (failure == 0) {
                ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &failure, &size);
            }
        }
        if (failure != 0) {
            all.failure(all.refused, "connect to " + address_ + ": " + std::strerror(failure));
            hang_up();
            return false;
        }
        ++all.connections;
        return true;
    }

    void post(steady_clock::time_point began) {
        const std::string body = R"({"event_name":"steady","user_id":")" + name_ + R"(","event_id":")" +
                                 name_ + "-" + std::to_string(++sent_) + "\"}";
        const std::string request =
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
            std::string(how_.keep_alive ? "" : "Connection: close\r\n") +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        std::string answer;
        if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size())) {
            fail("send: " + std::string(std::strerror(errno)));
        } else if (const std::string problem = receive(answer); !problem.empty()) {
            fail(problem);
        } else if (!answer.starts_with("HTTP/1.1 202 ")) {
            fail(answer);
        } else {
            ++all.answered;
            const long took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began).count();
            long longest = all.longest_ms;
            while (took > longest && !all.longest_ms.compare_exchange_weak(longest, took)) {
            }
            if (answer.find("\r\nConnection: close\r\n") != std::string::npos) {
                hang_up();
            }
        }
    }

    // Head and body; what went wrong, in words.
    std::string receive(std::string& answer) {
        std::size_t whole = std::string::npos;
        while (answer.size() < whole) {
            char piece[4096];
            if (!await(POLLIN)) {
                return "no answer in time";
            }
            const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
            if (got <= 0) {
                return got == 0 ? "closed without an answer"
                                : std::string("receive: ") + std::strerror(errno);
            }
            answer.append(piece, static_cast<std::size_t>(got));
            const auto head = answer.find("\r\n\r\n");
            const auto length = answer.find("\r\nContent-Length: ");
            if (head != std::string::npos && length < head) {
                whole = head + 4 + std::stoul(answer.substr(length + 18));
            }
        }
        return {};
    }

    bool await(short what) const {
        pollfd watched{socket_, what, 0};
        return ::poll(&watched, 1, static_cast<int>(patience.count())) == 1;
    }
    void fail(const std::string& what) {
        all.failure(all.failed, address_ + (how_.keep_alive ? " keep-alive " : " ") + what);
        hang_up();
    }
    void hang_up() {
        if (socket_ >= 0) {
            ::close(socket_);
        }
        socket_ = -1;
    }

    const std::string address_;
    const style how_;
    const std::string name_;
    int socket_ = -1;
    long sent_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr); // in all threads
    const std::vector<style> styles = {
        {true, milliseconds(2)},   {true, milliseconds(2)},   {true, milliseconds(20)},
        {true, milliseconds(150)}, {true, milliseconds(700)}, {true, milliseconds(900)},
        {false, milliseconds(2)},  {false, milliseconds(2)},  {false, milliseconds(20)},
        {false, milliseconds(20)}, {false, milliseconds(150)}};
    std::vector<std::thread> threads;
    for (int i = 2; i < argc; ++i) {
        for (const style& each : styles) {
            const std::string name = std::string(argv[1]) + "-" + std::to_string(threads.size());
            threads.emplace_back(
                [address = std::string(argv[i]), each, name] { client(address, each, name).run(); });
        }
    }
    int number = 0;
    ::sigwait(&ends, &number);
    stopping = true;
    for (std::thread& each : threads) {
        each.join();
    }
    for (char& each : all.first_failure) {
        each = each == '"' || each == '\\' || static_cast<unsigned char>(each) < ' ' ? ' ' : each;
    }
    std::printf(
        R"({"answered":%ld,"refused":%ld,"failed":%ld,"connections":%ld,"longest_ms":%ld,"first_failure":"%s"})"
        "\n",
        all.answered.load(), all.refused.load(), all.failed.load(), all.connections.load(),
        all.longest_ms.load(), all.first_failure.c_str());
}
