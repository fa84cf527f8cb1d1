// Makes the table and the plots of docs/pacing.md: `pacing_bench docs/pacing` writes the plots there and
// prints the table. Some minutes of one core.
#include "bench/svg_plot.hpp"
#include "support/shared_limit.hpp"

#include <array>
#include <cstdio>
#include <string>

namespace {

using namespace linkrunner::test;
using namespace std::chrono_literals;

constexpr std::array<limit_kind, 3> kinds = {limit_kind::token_bucket, limit_kind::fixed_window,
                                             limit_kind::sliding_log};
constexpr std::array<std::size_t, 5> counts = {1, 2, 10, 100, 1000};
struct colour {
    const char *name, *light, *dark;
};
constexpr std::array<colour, 3> colours = {
    {{"bucket", "#1b6ca8", "#6cb6ff"}, {"window", "#b8442c", "#ff8f73"}, {"log", "#2f6f39", "#7ee08a"}}};
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

shares measure(std::size_t daemons, limit_kind kind, std::optional<double> rate) {
    sharing what;
    what.daemons = daemons;
    what.kind = kind;
    what.limit = limit;
    what.rate = rate;
    return shared_limit(what).run();
}

void draw_rates(const shares& of, const std::string& file) {
    constexpr double most = 12;
    svg_plot out("Rates of ten daemons that share 30/s (fixed window; rate: auto)", "minutes", 120, most);
    for (int minutes = 0; minutes <= 120; minutes += 20) {
        out.across(minutes, std::to_string(minutes));
    }
    for (int rate = 0; rate <= 12; rate += 3) {
        out.up(rate, std::to_string(rate) + "/s");
    }
    for (std::size_t i = 0; i < of.rates.size(); ++i) {
        const std::string name = "d" + std::to_string(i);
        const std::string hue = "hsl(" + std::to_string(i * 36);
        out.add_colour(name, hue + ",65%,40%)", hue + ",75%,68%)");
        std::vector<std::pair<double, double>> points;
        for (std::size_t at = 0; at < of.rates[i].size() && at <= 720; at += 3) {
            points.emplace_back(static_cast<double>(at) / 6, std::min(most, of.rates[i][at]));
        }
        out.line(points, name, 1.4);
    }
    out.save(file);
}

using row = std::array<shares, counts.size()>;

void draw_counts(const std::array<row, 3>& all, bool use, const std::string& file) {
    svg_plot out(use ? "Use of the limit" : "Answers that are 429", "daemons (rate: auto)", counts.size() - 1,
                 use ? 100 : 15);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        out.across(static_cast<double>(i), std::to_string(counts[i]));
    }
    for (int value = 0; value <= (use ? 100 : 15); value += use ? 20 : 3) {
        out.up(value, std::to_string(value) + "%");
    }
    std::vector<std::pair<std::string, std::string>> legend;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        const colour& its = colours[kind];
        out.add_colour(its.name, its.light, its.dark);
        std::vector<std::pair<double, double>> points;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            const shares& one = all[kind][i];
            points.emplace_back(static_cast<double>(i), 100 * (use ? one.used : one.throttled));
        }
        out.line(points, its.name, 2.5);
        legend.emplace_back(its.name, name_of(kinds[kind]));
    }
    out.legend(legend);
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
