#include "spool/letters.hpp"

#include "spool/file_names.hpp"
#include "spool/frame_reader.hpp"

#include <utility>

namespace linkrunner::spool {

namespace {
constexpr std::size_t chunk_bytes = 64 << 10;
}

result<std::map<sequence, dead_letter>> letters_of(disk& files, const std::string& directory,
                                                   std::uint32_t salt, const segment& of) {
    std::map<sequence, dead_letter> out;
    const auto take = [&](const mark_view& view) {
        if (view.kind == static_cast<std::uint8_t>(mark_kind::dead) &&
            of.state(view.number) == event_state::dead) {
            out[view.number] = decode_whole_mark(view).letter;
        }
    };
    if (of.header.sparse) {
        const auto file = files.open(directory + "/" + segment_name(of.first()), disk::mode::read);
        if (!file) {
            return file.error();
        }
        std::string buffer;
        frame_reader reader(**file, header_area_bytes, of.end, salt, buffer, chunk_bytes);
        while (const auto frame = reader.next()) {
            if (frame->head.type != frame_type::mark) {
                continue;
            }
            if (const auto view = decode_mark(frame->frame.substr(frame_head_bytes), salt)) {
                take(*view);
            }
        }
        if (reader.failure()) {
            return *reader.failure();
        }
    }
    if (auto done = of.marks.for_each(take); !done) {
        return done.error();
    }
    return out;
}

} // namespace linkrunner::spool
