#include "sandbox/background.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <list>
#include <thread>

namespace linkrunner::sandbox {

namespace {

struct waiter {
    std::function<bool(api&)> holds;
    std::promise<void> done;
};

} // namespace

struct background::state {
    explicit state(const api_settings& behaviour) : core(behaviour) {}

    void check_waiters() {
        for (auto each = waiters.begin(); each != waiters.end();) {
            if ((*each)->holds(core)) {
                (*each)->done.set_value();
                each = waiters.erase(each);
            } else {
                ++each;
            }
        }
    }

    system_clock time;
    api core;
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep{context.get_executor()};
    std::unique_ptr<server> listener;
    std::list<std::shared_ptr<waiter>> waiters;
    std::thread thread;
};

background::background(std::unique_ptr<state> own) : state_(std::move(own)) {
    state_->listener->on_change([all = state_.get()] { all->check_waiters(); });
    state_->listener->start();
    state_->thread = std::thread([all = state_.get()] { all->context.run(); });
}

result<std::unique_ptr<background>> background::start(const api_settings& behaviour,
                                                      server_settings options) {
    auto own = std::make_unique<state>(behaviour);
    auto listener = server::open(own->context, options, own->core, own->time);
    if (!listener) {
        return listener.error();
    }
    own->listener = std::move(*listener);
    return std::unique_ptr<background>(new background(std::move(own)));
}

background::~background() {
    boost::asio::post(state_->context, [all = state_.get()] {
        all->listener->stop();
        all->keep.reset();
    });
    state_->thread.join();
}

server_settings background::any_port() {
    server_settings out;
    out.listen = "127.0.0.1:0";
    return out;
}

std::string background::url() const {
    return state_->listener->url();
}

std::uint16_t background::port() const {
    return state_->listener->port();
}

const std::string& background::ca_pem() const {
    return state_->listener->ca_pem();
}

void background::with(const std::function<void(api&, server&)>& work) {
    std::promise<void> done;
    boost::asio::post(state_->context, [&] {
        work(state_->core, *state_->listener);
        done.set_value();
    });
    done.get_future().wait();
}

bool background::wait_until(std::function<bool(api&)> holds, std::chrono::milliseconds limit) {
    auto entry = std::make_shared<waiter>();
    entry->holds = std::move(holds);
    std::future<void> done = entry->done.get_future();
    boost::asio::post(state_->context, [all = state_.get(), entry] {
        all->waiters.push_back(entry);
        all->check_waiters();
    });
    if (done.wait_for(limit) == std::future_status::ready) {
        return true;
    }
    with([&](api&, server&) { state_->waiters.remove(entry); });
    return done.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

bool background::wait_for_events(std::uint64_t at_least, std::chrono::milliseconds limit) {
    return wait_until([at_least](api& core) { return core.events().total() >= at_least; }, limit);
}

bool background::wait_for_unique(std::uint64_t at_least, std::chrono::milliseconds limit) {
    return wait_until([at_least](api& core) { return core.events().unique() >= at_least; }, limit);
}

std::vector<received_event> background::events() {
    std::vector<received_event> out;
    with([&](api& core, server&) {
        out.assign(core.events().recent().begin(), core.events().recent().end());
    });
    return out;
}

std::uint64_t background::unique() {
    std::uint64_t out = 0;
    with([&](api& core, server&) { out = core.events().unique(); });
    return out;
}

std::uint64_t background::duplicates() {
    std::uint64_t out = 0;
    with([&](api& core, server&) { out = core.events().duplicates(); });
    return out;
}

counters background::sums() {
    counters out;
    with([&](api& core, server&) { out = core.sums(); });
    return out;
}

void background::add_faults(const std::string& script) {
    std::vector<fault> rules = parse_faults(script).value();
    with([&](api& core, server&) { core.faults().add(std::move(rules), state_->time.steady()); });
}

void background::clear_faults() {
    with([](api& core, server&) { core.faults().clear(); });
}

void background::set_key(const std::string& key) {
    with([&](api& core, server&) { core.set_key(key); });
}

void background::set_listening(bool listening) {
    with([&](api&, server& listener) { listener.set_listening(listening); });
}

void background::drop_connections() {
    with([](api&, server& listener) { listener.drop_connections(); });
}

} // namespace linkrunner::sandbox
