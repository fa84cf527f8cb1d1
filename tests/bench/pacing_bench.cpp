// Makes the table and the plots of docs/pacing.md: `pacing_bench docs/pacing` writes the plots there and
// prints the table. Some minutes of one core.
#include "support/shared_limit.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace {

using namespace linkrunner::test;
using namespace std::chrono_literals;

constexpr std::array<limit_kind, 3> kinds = {limit_kind::token_bucket, limit_kind::fixed_window,
                                             limit_kind::sliding_log};
constexpr std::array<std::size_t, 5> counts = {1, 2, 10, 100, 1000};
constexpr std::array<const char*, 3> colours = {"#1b6ca8", "#c8553d", "#3a7d44"};
constexpr int limit = 30;

const char* name_of(limit_kind kind) {
    return kind == limit_kind::token_bucket   ? "token bucket"
           : kind == limit_kind::fixed_window ? "fixed window"
                                              : "sliding log";
}

// What part of the offered load is lost by chance, when requests come independently of each other (Poisson).
double lost_by_chance(limit_kind kind, double load) {
    if (kind == limit_kind::sliding_log) { // Erlang's B formula: `limit` servers, each taken for a second
        double b = 1;
        for (int n = 1; n <= limit; ++n) {
            b = load * b / (n + load * b);
        }
        return b;
    }
    if (kind == limit_kind::fixed_window) { // what is over `limit` in a second
        double over = 0;
        double p = std::exp(-load);
        for (int n = 0; n < 400; ++n) {
            over += n > limit ? p * (n - limit) : 0;
            p *= load / (n + 1);
        }
        return over / load;
    }
    return std::max(0.0, 1 - limit / load); // a bucket of a second's worth evens out nearly all
}

// The use at which chance alone costs that share of 429s.
double use_at(limit_kind kind, double share) {
    double low = 0.1;
    double high = 20.0 * limit;
    for (int i = 0; i < 60; ++i) {
        const double load = (low + high) / 2;
        (lost_by_chance(kind, load) < share ? low : high) = load;
    }
    return std::min(1.0, low * (1 - share) / limit);
}

std::string number(double value, int digits = 1) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

// A plain SVG: axes, lines, words.
class plot {
  public:
    plot(const std::string& title, const std::string& across, double x_most, double y_most)
        : x_most_(x_most), y_most_(y_most) {
        text_ =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 360\" font-family=\"sans-serif\" "
            "font-size=\"13\"><rect width=\"720\" height=\"360\" fill=\"white\"/>\n";
        word(60, 24, title, "#222", 15);
        word(330, 350, across, "#444", 13);
        text_ += "<path d=\"M60 40V310H690\" stroke=\"#444\" fill=\"none\"/>\n";
    }
    double x(double value) const { return 60 + 630 * value / x_most_; }
    double y(double value) const { return 310 - 270 * value / y_most_; }
    void word(double left, double base, const std::string& what, const std::string& colour, int size) {
        text_ += "<text x=\"" + number(left) + "\" y=\"" + number(base) + "\" fill=\"" + colour +
                 "\" font-size=\"" + std::to_string(size) + "\">" + what + "</text>\n";
    }
    void across(double value, const std::string& what) { word(x(value) - 10, 328, what, "#444", 12); }
    void up(double value, const std::string& what) {
        word(12, y(value) + 4, what, "#444", 12);
        text_ += "<path d=\"M60 " + number(y(value)) + "H690\" stroke=\"#ddd\"/>\n";
    }
    void line(const std::vector<std::pair<double, double>>& points, const std::string& colour, double width) {
        text_ += "<polyline fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"" + number(width) +
                 "\" points=\"";
        for (const auto& [at, value] : points) {
            text_ += number(x(at)) + "," + number(y(value)) + " ";
        }
        text_ += "\"/>\n";
    }
    void save(const std::string& file) const { std::ofstream(file) << text_ << "</svg>\n"; }

  private:
    double x_most_, y_most_;
    std::string text_;
};

shares measure(std::size_t daemons, limit_kind kind, std::optional<double> rate) {
    sharing what;
    what.daemons = daemons;
    what.kind = kind;
    what.limit = limit;
    what.rate = rate;
    return shared_limit(what).run();
}

void draw_rates(const shares& of, const std::string& file) {
    plot out("Rates in force of ten daemons that share 30/s (fixed window), rate: auto", "minutes", 120, 12);
    for (int minutes = 0; minutes <= 120; minutes += 20) {
        out.across(minutes, std::to_string(minutes));
    }
    for (int rate = 0; rate <= 12; rate += 3) {
        out.up(rate, std::to_string(rate) + "/s");
    }
    for (std::size_t i = 0; i < of.rates.size(); ++i) {
        std::vector<std::pair<double, double>> points;
        for (std::size_t at = 0; at < of.rates[i].size() && at <= 720; at += 3) {
            points.emplace_back(static_cast<double>(at) / 6, std::min(12.0, of.rates[i][at]));
        }
        out.line(points, "hsl(" + std::to_string(i * 36) + ",55%,45%)", 1);
    }
    out.save(file);
}

using row = std::array<shares, counts.size()>;

void draw_counts(const std::array<row, 3>& all, bool use, const std::string& file) {
    plot out(use ? "Use of the limit, in percent" : "Answers that are 429, in percent",
             "daemons (rate: auto)", 4, use ? 100 : 15);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        out.across(static_cast<double>(i), std::to_string(counts[i]));
    }
    for (int value = 0; value <= (use ? 100 : 15); value += use ? 20 : 3) {
        out.up(value, std::to_string(value) + "%");
    }
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        std::vector<std::pair<double, double>> points;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            const shares& one = all[kind][i];
            points.emplace_back(static_cast<double>(i), 100 * (use ? one.used : one.throttled));
        }
        out.line(points, colours[kind], 2.5);
        out.word(80, (use ? 240 : 60) + 20 * static_cast<double>(kind), name_of(kinds[kind]), colours[kind],
                 13);
    }
    out.save(file);
}

} // namespace

int main(int count, char** arguments) {
    const std::string folder = count > 1 ? arguments[1] : ".";
    std::puts("| daemons | rate | limit kept by | used | 429 | chance alone | Jain, worst window | mean |");
    std::puts("|---|---|---|---|---|---|---|---|");
    std::array<row, 3> found;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
            for (const auto rate : {std::optional<double>(), std::optional<double>(29)}) {
                shares got = measure(counts[i], kinds[kind], rate);
                const double chance = 100 * use_at(kinds[kind], got.throttled);
                std::printf("| %zu | %s | %s | %.1f%% | %.2f%% | %s | %.3f | %.3f |\n", counts[i],
                            rate ? "29/s each" : "auto", name_of(kinds[kind]), 100 * got.used,
                            100 * got.throttled, got.throttled > 0 ? (number(chance, 0) + "%").c_str() : "–",
                            got.least_fair, got.fair);
                std::fflush(stdout);
                if (!rate) {
                    found[kind][i] = std::move(got);
                }
            }
        }
    }
    draw_rates(found[1][2], folder + "/ten-daemons.svg");
    draw_counts(found, true, folder + "/use.svg");
    draw_counts(found, false, folder + "/throttled.svg");
}
