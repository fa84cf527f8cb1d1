// The format on disk: a directory of version 1, committed, opens in every later version; and the bytes that
// FORMAT.md shows are those that are written. LINKRUNNER_NEW_FIXTURE=1 writes the directory anew: only for a
// new version of the format, beside the old ones.
#include "spool/bytes.hpp"
#include "spool/frame.hpp"
#include "unit/spool/store_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace linkrunner::spool {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

const std::filesystem::path here = std::filesystem::path(__FILE__).parent_path();
const std::filesystem::path fixture = here / "format_1";

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

class format_test : public store_fixture {
  protected:
    format_test() {
        settings_.segment_bytes = 16 << 10;
        clock_.advance_to(steady_time(1h));
    }

    void mark_dead(sequence number) {
        std::vector<mark_job> jobs(1);
        mark one;
        one.number = number;
        one.kind = mark_kind::dead;
        one.letter = {dead_reason::rejected, 400, 2, clock_.wall(), clock_.wall(), true, "no such campaign"};
        jobs[0].marks.push_back(one);
        store_->commit({}, jobs);
    }

    // Everything that the format has: segments, one of them compacted, others retired, marks of each kind,
    // identities, a refused group, a closed end.
    void write_fixture() {
        open();
        for (int i = 1; i <= 120; ++i) {
            stored("id-" + std::to_string(i), static_cast<std::uint8_t>(i % 3 == 0 ? 1 : 0), 200);
        }
        std::vector<sequence> ended;
        for (sequence number = 1; number <= 100; ++number) {
            if (number != 3 && number != 7 && number != 8 && number != 50) {
                ended.push_back(number);
            }
        }
        mark_as(mark_kind::delivered, ended);
        mark_dead(7);
        for (int second = 0; second < 10; ++second) {
            pass(1s);
        }
        mark_as(mark_kind::sending, {101});
        mark_dead(102);
        mark_as(mark_kind::dropped, {103});
        mark_dead(104);
        mark_as(mark_kind::replayed, {104});
        mark_as(mark_kind::handed_off, {105});
        store_->close();
        store_.reset();
        std::filesystem::create_directories(fixture);
        for (const auto& [path, bytes] : disk_.files) {
            const std::string name = path.substr(path.rfind('/') + 1);
            if (name != "lock" && name != "reserve") {
                std::ofstream(fixture / name, std::ios::binary) << *bytes;
            }
        }
    }
};

TEST_F(format_test, a_directory_of_version_1_opens_and_holds_what_was_put_into_it) {
    if (std::getenv("LINKRUNNER_NEW_FIXTURE") != nullptr) { // NOLINT(concurrency-mt-unsafe): one thread
        write_fixture();
        disk_.files.clear();
    }
    for (const auto& entry : std::filesystem::directory_iterator(fixture)) {
        disk_.files["/spool/" + entry.path().filename().string()] =
            std::make_shared<std::string>(content(entry.path()));
    }
    ASSERT_GE(disk_.files.size(), 4u);
    const recovery_report report = open();
    EXPECT_THAT(report.findings, IsEmpty());
    EXPECT_EQ(events().accepted, 120u);
    EXPECT_EQ(events().delivered, 96u);
    EXPECT_EQ(events().dead, 2u);
    EXPECT_EQ(events().dropped, 1u);
    EXPECT_EQ(events().handed_off, 1u);
    EXPECT_EQ(events().lost, 0u);
    EXPECT_EQ(events().pending, 20u);
    EXPECT_TRUE(adds_up());
    EXPECT_EQ(store_->status().next, 121u);
    const auto lane_0 = pending(0);
    EXPECT_EQ(std::vector(lane_0.begin(), lane_0.begin() + 4),
              (std::vector<std::string>{"id-8", "id-50", "id-101", "id-104"}));
    EXPECT_EQ(pending(1).front(), "id-3");
    EXPECT_EQ(store_->end_of(7), mark_kind::dead);
    EXPECT_TRUE(store_->read(0, 101, 1, 1)->events[0].sending_marked);
    EXPECT_EQ(store_->read(1, 3, 1, 1)->events[0].body, event("id-3", 1, 200).body);
    EXPECT_EQ(append({event("id-60", 1, 200)})->front().outcome, append_outcome::duplicate)
        << "of a segment that is gone";
    EXPECT_EQ(stored("next"), 121u);
}

// "0000: 00 11 22 ...", sixteen bytes a line.
std::string hex(std::string_view bytes) {
    std::string out;
    char text[8];
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        if (at % 16 == 0) {
            std::snprintf(text, sizeof text, "%s%04zx:", at == 0 ? "" : "\n", at);
            out += text;
        }
        std::snprintf(text, sizeof text, " %02x", static_cast<unsigned char>(bytes[at]));
        out += text;
    }
    return out + "\n";
}

TEST(format_document, shows_the_bytes_that_are_written) {
    new_event event;
    event.lane = 1;
    event.accepted_at = wall_time(std::chrono::milliseconds(1'760'000'000'000));
    event.user_key = 0x1122334455667788;
    event.identity = {0x0102030405060708, 0x090a0b0c0d0e0f10};
    event.body_hash = 0xa1a2a3a4a5a6a7a8;
    event.name = "cart_added";
    event.event_id = "e-1";
    event.body = R"({"event_name":"cart_added","user_id":"u1","event_id":"e-1"})";
    std::string frame;
    encode_event(frame, event, 42, 0, salt_of(7));
    const std::string text = content(here.parent_path().parent_path().parent_path() / "lib/spool/FORMAT.md");
    EXPECT_THAT(text, HasSubstr(hex(frame))) << hex(frame);
    mark delivered;
    delivered.number = 42;
    std::string record;
    encode_mark(record, delivered, salt_of(7));
    EXPECT_THAT(text, HasSubstr(hex(record))) << hex(record);
}

} // namespace
} // namespace linkrunner::spool
