// Members of JSON documents that may be missing: a tool shows what there is, also of another version.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::ctl {

// By JSON pointer; null where there is nothing.
const boost::json::value& at(const boost::json::value& in, std::string_view pointer);

std::string text_at(const boost::json::value& in, std::string_view pointer);
std::optional<double> number_at(const boost::json::value& in, std::string_view pointer);
std::uint64_t count_at(const boost::json::value& in, std::string_view pointer); // 0 where there is none
bool flag_at(const boost::json::value& in, std::string_view pointer);

} // namespace linkrunner::ctl
