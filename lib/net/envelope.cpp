#include "net/envelope.hpp"

#include "base/json_text.hpp"

namespace linkrunner::net {

response envelope(int status, std::string_view message, std::string_view data) {
    response out;
    out.status = status;
    out.body.reserve(message.size() + data.size() + 48);
    out.body = "{\"msg\":";
    append_json_string(out.body, message);
    out.body += ",\"status\":";
    out.body += std::to_string(status);
    out.body += ",\"data\":";
    out.body += data;
    out.body += "}\n";
    return out;
}

response refusal(int status, std::string_view code, std::string_view message) {
    std::string data = "{\"code\":";
    append_json_string(data, code);
    data += '}';
    return envelope(status, message, data);
}

} // namespace linkrunner::net
