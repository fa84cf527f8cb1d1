#include "net/name_lookup.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace linkrunner::net {
namespace {

using work_guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

void take_turns(std::vector<network_address>& addresses) {
    std::vector<network_address> first, second;
    for (const auto& each : addresses) {
        const bool same = each.storage.ss_family == addresses.front().storage.ss_family;
        (same ? first : second).push_back(each);
    }
    addresses.clear();
    for (std::size_t i = 0; i < first.size() || i < second.size(); ++i) {
        if (i < first.size()) {
            addresses.push_back(first[i]);
        }
        if (i < second.size()) {
            addresses.push_back(second[i]);
        }
    }
}

name_lookup::found resolve(const std::string& host, std::uint16_t port, int flags) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV | flags;
    addrinfo* list = nullptr;
    name_lookup::found made;
    const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
    if (status != 0) {
        made.failure = status == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(status);
        return made;
    }
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
        network_address address;
        std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
        address.length = each->ai_addrlen;
        made.addresses.push_back(address);
    }
    ::freeaddrinfo(list);
    take_turns(made.addresses);
    return made;
}

} // namespace

// What the lookup's thread holds: it may outlive the name_lookup, and then finds `self` gone.
struct name_lookup::shared {
    std::mutex guard;
    name_lookup* self = nullptr;
    std::optional<work_guard> under_way; // keeps the loop running while a thread works for it
};

name_lookup::name_lookup(asio_loop& owner, std::string host, std::uint16_t port)
    : owner_(owner), host_(std::move(host)), port_(port), shared_(std::make_shared<shared>()) {
    shared_->self = this;
}

name_lookup::~name_lookup() {
    const std::lock_guard lock(shared_->guard);
    shared_->self = nullptr;
    shared_->under_way.reset();
}

void name_lookup::ask(listener done) {
    waiting_.push_back(std::move(done));
    if (waiting_.size() > 1) {
        return;
    }
    const auto deliver_on_loop = [](const std::shared_ptr<shared>& to, const found& what) {
        const std::lock_guard lock(to->guard);
        if (to->self == nullptr) {
            return;
        }
        to->self->owner_.post([to, what] {
            // On the loop's thread, where the name_lookup also dies: no lock is needed to look at `self`.
            if (to->self != nullptr) {
                to->under_way.reset();
                to->self->deliver(what);
            }
        });
    };
    if (const auto literal = resolve(host_, port_, AI_NUMERICHOST); literal.failure.empty()) {
        deliver_on_loop(shared_, literal);
        return;
    }
    shared_->under_way.emplace(owner_.context().get_executor());
    try {
        std::thread([to = shared_, host = host_, port = port_, deliver_on_loop] {
            deliver_on_loop(to, resolve(host, port, 0));
        }).detach();
    } catch (const std::system_error& failure) {
        found nothing;
        nothing.failure = std::string("no thread to look it up: ") + failure.what();
        deliver_on_loop(shared_, nothing);
    }
}

void name_lookup::deliver(const found& what) {
    for (const auto& each : std::exchange(waiting_, {})) {
        each(what);
    }
}

} // namespace linkrunner::net
