#include "delivery/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace linkrunner::delivery {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> days = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                  "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads its text from left to right; once something did not fit, nothing fits any more.
class reader {
  public:
    explicit reader(std::string_view text) : rest_(text) {}

    bool literal(std::string_view what) {
        ok_ = ok_ && rest_.starts_with(what);
        if (ok_) {
            rest_.remove_prefix(what.size());
        }
        return ok_;
    }

    bool accept(char what) { return ok_ && rest_.starts_with(what) && literal(rest_.substr(0, 1)); }

    int digits(std::size_t count) {
        int value = 0;
        const std::string_view part = rest_.substr(0, count);
        ok_ = ok_ && part.size() == count &&
              std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
        if (ok_) {
            std::from_chars(part.data(), part.data() + part.size(), value);
            rest_.remove_prefix(count);
        }
        return value;
    }

    unsigned month_name() {
        const auto found = std::ranges::find(months, rest_.substr(0, 3));
        ok_ = ok_ && found != months.end();
        if (ok_) {
            rest_.remove_prefix(3);
        }
        return ok_ ? static_cast<unsigned>(found - months.begin()) + 1 : 1;
    }

    bool day_name(bool whole) {
        for (const std::string_view name : days) {
            const std::string_view shown = whole ? name : name.substr(0, 3);
            if (rest_.starts_with(shown)) {
                return literal(shown);
            }
        }
        ok_ = false;
        return false;
    }

    seconds time_of_day() {
        const int hour = digits(2);
        literal(":");
        const int minute = digits(2);
        literal(":");
        const int second = digits(2);
        ok_ = ok_ && hour < 24 && minute < 60 && second <= 60; // 60: a leap second
        return hours(hour) + minutes(minute) + seconds(std::min(second, 59));
    }

    bool finished() const { return ok_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

std::optional<sys_seconds> moment(const reader& text, int year_number, unsigned month_number, int day_number,
                                  seconds of_day) {
    const year_month_day date{year(year_number), month(month_number), day(static_cast<unsigned>(day_number))};
    if (!text.finished() || !date.ok()) {
        return std::nullopt;
    }
    return sys_days(date) + of_day;
}

std::optional<sys_seconds> imf_fixdate(std::string_view text) {
    reader in(text);
    in.day_name(false);
    in.literal(", ");
    const int day_number = in.digits(2);
    in.literal(" ");
    const unsigned month_number = in.month_name();
    in.literal(" ");
    const int year_number = in.digits(4);
    in.literal(" ");
    const seconds of_day = in.time_of_day();
    in.literal(" GMT");
    return moment(in, year_number, month_number, day_number, of_day);
}

std::optional<sys_seconds> rfc850_date(std::string_view text, sys_seconds near) {
    reader in(text);
    in.day_name(true);
    in.literal(", ");
    const int day_number = in.digits(2);
    in.literal("-");
    const unsigned month_number = in.month_name();
    in.literal("-");
    const int two_digits = in.digits(2);
    in.literal(" ");
    const seconds of_day = in.time_of_day();
    in.literal(" GMT");
    const int this_year = static_cast<int>(year_month_day(floor<std::chrono::days>(near)).year());
    int year_number = this_year - this_year % 100 + two_digits;
    if (year_number > this_year + 50) {
        year_number -= 100;
    } else if (year_number <= this_year - 50) {
        year_number += 100;
    }
    return moment(in, year_number, month_number, day_number, of_day);
}

std::optional<sys_seconds> asctime_date(std::string_view text) {
    reader in(text);
    in.day_name(false);
    in.literal(" ");
    const unsigned month_number = in.month_name();
    in.literal(" ");
    const int day_number = in.accept(' ') ? in.digits(1) : in.digits(2);
    in.literal(" ");
    const seconds of_day = in.time_of_day();
    in.literal(" ");
    const int year_number = in.digits(4);
    return moment(in, year_number, month_number, day_number, of_day);
}

} // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text, sys_seconds near) {
    if (const auto found = imf_fixdate(text)) {
        return found;
    }
    if (const auto found = rfc850_date(text, near)) {
        return found;
    }
    return asctime_date(text);
}

} // namespace linkrunner::delivery
