#include "spool/file_names.hpp"

#include <charconv>

namespace linkrunner::spool {

namespace {

constexpr std::size_t digits = 20; // of 2^64

std::string padded(sequence first) {
    const std::string plain = std::to_string(first);
    return std::string(digits - plain.size(), '0') + plain;
}

template <class Number>
bool parse_number(std::string_view text, Number& into) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
    return failure == std::errc{} && end == text.data() + text.size() && !text.empty();
}

} // namespace

file_name parse_file_name(std::string_view name) {
    file_name out;
    if (name.ends_with(".tmp")) {
        out.kind = file_kind::unfinished;
        return out;
    }
    if (name == reserve_name()) {
        out.kind = file_kind::reserve;
        return out;
    }
    if (name.size() <= digits || !parse_number(name.substr(0, digits), out.first)) {
        return {};
    }
    const std::string_view rest = name.substr(digits);
    constexpr std::string_view marks = ".marks";
    if (rest == ".log") {
        out.kind = file_kind::segment;
    } else if (rest == ".ids") {
        out.kind = file_kind::identities;
    } else if (rest.size() > marks.size() + 1 && rest.front() == '.' && rest.ends_with(marks) &&
               parse_number(rest.substr(1, rest.size() - marks.size() - 1), out.generation)) {
        out.kind = file_kind::marks;
    } else {
        return {};
    }
    return out;
}

std::string segment_name(sequence first) {
    return padded(first) + ".log";
}

std::string marks_name(sequence first, std::uint32_t generation) {
    return padded(first) + "." + std::to_string(generation) + ".marks";
}

std::string identities_name(sequence first) {
    return padded(first) + ".ids";
}

std::string reserve_name() {
    return "reserve";
}

} // namespace linkrunner::spool
