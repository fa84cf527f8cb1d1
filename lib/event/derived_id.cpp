#include "event/event.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace linkrunner::event {

namespace {

// 5dd5adbf-421c-4151-9602-56d2493f2f19, made once at random for this purpose. It must never change: ids that
// callers saw would change with it.
constexpr boost::uuids::uuid name_space = {
    {0x5d, 0xd5, 0xad, 0xbf, 0x42, 0x1c, 0x41, 0x51, 0x96, 0x02, 0x56, 0xd2, 0x49, 0x3f, 0x2f, 0x19}};

} // namespace

// UUID version 5 (RFC 9562 section 5.5) of "key:index". The index has digits only, so the last colon tells
// the two apart.
std::string derived_id(std::string_view key, std::size_t index) {
    std::string name;
    name.reserve(key.size() + 21);
    name.append(key).append(":").append(std::to_string(index));
    const boost::uuids::name_generator_sha1 generate(name_space);
    return boost::uuids::to_string(generate(name.data(), name.size()));
}

} // namespace linkrunner::event
