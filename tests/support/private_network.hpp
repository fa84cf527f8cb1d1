// A network of its own for the calling thread and what it starts from then on: loopback alone, with packets
// dropped as the test likes, and host names that only they know. Needs root, unshare(1) and nft(8).
#pragma once

#include "support/process.hpp"
#include "support/temp_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace linkrunner::tests {

class private_network {
  public:
    static bool possible() {
        return ::geteuid() == 0 &&
               run({{"sh", "-c", "unshare --net --mount nft list ruleset"}, {}, {}}).first == 0;
    }

    private_network() : former_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
        check(former_, "open the network namespace");
        check(::unshare(CLONE_NEWNET | CLONE_NEWNS), "unshare");
        check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make / private");
        const std::string hosts = home_.write("hosts", "127.0.0.1 localhost\n");
        check(::mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr), "mount /etc/hosts");
        bring_loopback_up();
        nft("add table inet faults");
        nft("add chain inet faults input { type filter hook input priority 0 ; }");
    }
    ~private_network() {
        ::umount2("/etc/hosts", MNT_DETACH);
        ::setns(former_, CLONE_NEWNET);
        ::close(former_);
    }
    private_network(const private_network&) = delete;
    private_network& operator=(const private_network&) = delete;

    // Packets of this kind vanish, as in nft: "tcp dport 80".
    void swallow(const std::string& which) { nft("add rule inet faults input " + which + " drop"); }
    void heal() { nft("flush chain inet faults input"); }

    void add_host(const std::string& line) { // "127.0.0.1 name"
        const int file = ::open("/etc/hosts", O_WRONLY | O_APPEND | O_CLOEXEC);
        const std::string text = line + "\n";
        check(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : -1,
              "write /etc/hosts");
        ::close(file);
    }

  private:
    static void check(int outcome, const char* what) {
        if (outcome < 0) {
            throw std::system_error(errno, std::generic_category(), what);
        }
    }

    static void bring_loopback_up() {
        const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ifreq loopback{};
        loopback.ifr_name[0] = 'l';
        loopback.ifr_name[1] = 'o';
        loopback.ifr_flags = IFF_UP;
        check(::ioctl(socket, SIOCSIFFLAGS, &loopback), "bring the loopback interface up");
        ::close(socket);
    }

    static void nft(const std::string& what) {
        const auto [code, output] = run({{"nft", what}, {}, {}});
        if (code != 0) {
            throw std::runtime_error("nft " + what + ": " + output);
        }
    }

    temp_directory home_;
    int former_;
};

} // namespace linkrunner::tests
