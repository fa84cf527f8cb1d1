#include "ctl/fields.hpp"

namespace linkrunner::ctl {

const boost::json::value& at(const boost::json::value& in, std::string_view pointer) {
    static const boost::json::value nothing = nullptr;
    boost::system::error_code failure;
    const boost::json::value* found = in.find_pointer({pointer.data(), pointer.size()}, failure);
    return found != nullptr ? *found : nothing;
}

std::string text_at(const boost::json::value& in, std::string_view pointer) {
    const boost::json::value& found = at(in, pointer);
    return found.is_string() ? std::string(found.get_string()) : std::string();
}

std::optional<double> number_at(const boost::json::value& in, std::string_view pointer) {
    const boost::json::value& found = at(in, pointer);
    return found.is_number() ? std::optional(found.to_number<double>()) : std::nullopt;
}

std::uint64_t count_at(const boost::json::value& in, std::string_view pointer) {
    const auto number = number_at(in, pointer);
    return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

bool flag_at(const boost::json::value& in, std::string_view pointer) {
    const boost::json::value& found = at(in, pointer);
    return found.is_bool() && found.get_bool();
}

} // namespace linkrunner::ctl
