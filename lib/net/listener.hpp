// One listening socket, TCP or Unix: binds, guards, accepts in batches. Room-internal; lives on the loop's
// thread.
#pragma once

#include "base/error.hpp"
#include "net/asio_loop.hpp"
#include "net/message.hpp"
#include "net/server.hpp"
#include "net/server_tls.hpp"
#include "net/transport.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace linkrunner::net {

// Bound and listening; connections queue in the kernel until start().
class listener : public std::enable_shared_from_this<listener> {
  public:
    // Called for each accepted connection; `admitted` is false for a peer whose user and groups may not come
    // in.
    using taker = std::function<void(stream_socket, const listener&, bool admitted)>;

    static result<std::shared_ptr<listener>> open(asio_loop& owner, const listen_address& options);
    listener(asio_loop& owner, const listen_address& options, int descriptor,
             std::unique_ptr<server_tls_context> tls);
    ~listener();

    void start(taker take);
    // Allowed peers and TLS are as in `options` from the next connection on; `tls` was made from them.
    void renew(const listen_address& options, std::unique_ptr<server_tls_context> tls);
    // Takes the connections that are queued, then close().
    void finish();
    // Removes the socket's file unless the socket was inherited or the file is another's by now. Idempotent.
    void close();

    const listen_address& options() const { return options_; }
    const std::string& bound() const { return bound_; } // "127.0.0.1:43121", "unix:/path"
    const std::shared_ptr<const listener_info>& info() const { return info_; }
    const server_tls_context* tls() const { return tls_.get(); } // null for plain listeners

  private:
    using descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

    void wait();
    void accept_batch();
    bool accept_one();
    void pause();
    bool admits(int peer) const;
    void remember_file(const std::string& path);
    void remove_file();

    asio_loop& owner_;
    listen_address options_;
    std::unique_ptr<server_tls_context> tls_;
    std::shared_ptr<const listener_info> info_;
    descriptor socket_;
    taker take_;
    std::string bound_;
    std::string file_; // of a Unix socket that we made
    std::uint64_t file_device_ = 0, file_inode_ = 0;
    int family_ = 0;
    loop::timer_id retry_ = 0; // set while the process is out of descriptors
};

} // namespace linkrunner::net
