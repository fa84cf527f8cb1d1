// What the body of a call says, as far as it can be read, and what the API would find wrong with it. Pure.
#pragma once

#include "base/endpoint.hpp"
#include "sandbox/payments.hpp"

#include <string>
#include <string_view>

namespace linkrunner::sandbox {

struct parsed_call {
    endpoint path{};
    std::string name; // event_name; of a payment what the path is called
    std::string user; // user_id, else install_instance_id
    std::string event_id;
    payment paid;      // of payments
    std::string fault; // empty: as documented
};

parsed_call parse_call(endpoint path, std::string_view body);

} // namespace linkrunner::sandbox
