#include "net/listener.hpp"

#include "net/listening_socket.hpp"
#include "net/peer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace linkrunner::net {
namespace {

constexpr int accepts_per_turn = 64; // then other connections get their turn
constexpr int most_queued = 4096;    // the longest queue that listen(2) is asked for anywhere, and more

constexpr std::chrono::milliseconds accept_pause{100};

// The peer's supplementary groups, see SO_PEERGROUPS in unix(7).
std::vector<gid_t> groups_of(int peer, gid_t primary) {
    std::vector<gid_t> groups(64);
    socklen_t bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    int status = ::getsockopt(peer, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    if (status != 0 && errno == ERANGE) {
        groups.resize(bytes / sizeof(gid_t));
        status = ::getsockopt(peer, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    }
    groups.resize(status == 0 ? bytes / sizeof(gid_t) : 0);
    groups.push_back(primary);
    return groups;
}

} // namespace

result<std::shared_ptr<listener>> listener::open(asio_loop& owner, const listen_address& options) {
    std::unique_ptr<server_tls_context> tls;
    if (options.tls) {
        auto made = server_tls_context::make(*options.tls);
        if (!made) {
            return error{made.error().code, "listen on " + options.text + ": " + made.error().message};
        }
        tls = std::move(*made);
    }
    const auto descriptor = open_listening_socket(options);
    if (!descriptor) {
        return descriptor.error();
    }
    return std::make_shared<listener>(owner, options, *descriptor, std::move(tls));
}

listener::listener(asio_loop& owner, const listen_address& options, int descriptor,
                   std::unique_ptr<server_tls_context> tls)
    : owner_(owner), options_(options), tls_(std::move(tls)), socket_(owner.context(), descriptor) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
    family_ = address.ss_family;
    bound_ = text_of(address, length);
    info_ = std::make_shared<const listener_info>(
        listener_info{options.text, family_ == AF_UNIX, is_loopback(address), options.tls.has_value()});
    remember_file(file_of(options));
}

listener::~listener() {
    close();
}

void listener::remember_file(const std::string& path) {
    struct stat file{};
    if (!path.empty() && ::lstat(path.c_str(), &file) == 0) {
        file_ = path;
        file_device_ = file.st_dev;
        file_inode_ = file.st_ino;
    }
}

void listener::renew(const listen_address& options, std::unique_ptr<server_tls_context> tls) {
    options_ = options;
    tls_ = std::move(tls);
    info_ = std::make_shared<const listener_info>(
        listener_info{options.text, info_->unix_socket, info_->loopback, options.tls.has_value()});
}

void listener::start(taker take) {
    take_ = std::move(take);
    wait();
}

void listener::wait() {
    socket_.async_wait(descriptor::wait_read, [self = shared_from_this()](boost::system::error_code failure) {
        if (!failure && self->socket_.is_open()) {
            self->accept_batch();
        }
    });
}

void listener::accept_batch() {
    for (int count = 0; count < accepts_per_turn && socket_.is_open(); ++count) {
        if (!accept_one()) {
            break;
        }
    }
    if (socket_.is_open() && retry_ == 0) {
        wait();
    }
}

// False when none waits, or none can be taken now.
bool listener::accept_one() {
    const int peer = ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause();
            return false;
        }
        // Else that one connection failed, see accept(2), "Error handling".
        return errno != EAGAIN && errno != EWOULDBLOCK;
    }
    const bool admitted = admits(peer);
    boost::system::error_code failure;
    stream_socket socket(owner_.context());
    socket.assign({family_, 0}, peer, failure);
    if (failure) {
        ::close(peer);
    } else {
        take_(std::move(socket), *this, admitted);
    }
    return true;
}

// Out of descriptors or memory: the connection still waiting would wake us again at once.
void listener::pause() {
    retry_ = owner_.call_at(std::chrono::steady_clock::now() + accept_pause, [this] {
        retry_ = 0;
        wait();
    });
}

// Either list admits a peer; empty lists admit everyone.
bool listener::admits(int peer) const {
    if (family_ != AF_UNIX || (options_.allow_uids.empty() && options_.allow_gids.empty())) {
        return true;
    }
    const auto who = peer_of(peer);
    if (!who) {
        return false;
    }
    if (std::ranges::find(options_.allow_uids, who->uid) != options_.allow_uids.end()) {
        return true;
    }
    if (options_.allow_gids.empty()) {
        return false;
    }
    const auto groups = groups_of(peer, who->gid);
    return std::ranges::find_first_of(groups, options_.allow_gids) != groups.end();
}

// A Unix socket's file goes first: from then on nobody new can come. For TCP there is no such way; whoever
// connects between the last accept and the close would have come too late anyway.
void listener::finish() {
    remove_file();
    for (int count = 0; count < most_queued && socket_.is_open() && take_ && accept_one(); ++count) {
    }
    close();
}

void listener::remove_file() {
    struct stat file{};
    if (!file_.empty() && ::lstat(file_.c_str(), &file) == 0 && file.st_dev == file_device_ &&
        file.st_ino == file_inode_) {
        ::unlink(file_.c_str());
    }
    file_.clear();
}

void listener::close() {
    if (!socket_.is_open()) {
        return;
    }
    remove_file();
    if (retry_ != 0) {
        owner_.cancel(std::exchange(retry_, 0));
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
}

} // namespace linkrunner::net
