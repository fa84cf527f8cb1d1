// A plain SVG plot: axes, lines, words. Readable on a light and on a dark page: a viewer that prefers dark
// gets the colours of the style sheet, all others those of the attributes.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::test {

inline std::string number(double value, int digits = 1) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

class svg_plot {
  public:
    enum class anchor : std::uint8_t { start, middle, end };

    svg_plot(const std::string& title, const std::string& across, double x_most, double y_most)
        : x_most_(x_most), y_most_(y_most) {
        text_ =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 360\" font-family=\"sans-serif\">\n";
        title_ = title;
        across_ = across;
    }

    // A colour that lines and words have in common: its name, and what it is on a light and on a dark page.
    void add_colour(const std::string& name, const std::string& light, const std::string& dark) {
        colours_.emplace_back(name, light);
        dark_ += "." + name + "{stroke:" + dark + "} text." + name + "{fill:" + dark + ";stroke:none}\n";
    }

    void across(double value, const std::string& what) {
        word(x(value), bottom + 20, what, "#444", 13, anchor::middle);
    }
    void up(double value, const std::string& what) {
        word(left - 8, y(value) + 4.5, what, "#444", 13, anchor::end);
        text_ += "<path class=\"grid\" d=\"M" + number(left) + " " + number(y(value)) + "H" + number(right) +
                 "\" stroke=\"#ddd\"/>\n";
    }
    void line(const std::vector<std::pair<double, double>>& points, const std::string& colour, double width) {
        text_ += "<polyline class=\"" + colour + "\" fill=\"none\" stroke=\"" + light(colour) +
                 "\" stroke-width=\"" + number(width) + "\" stroke-linejoin=\"round\" points=\"";
        for (const auto& [at, value] : points) {
            text_ += number(x(at)) + "," + number(y(value)) + " ";
        }
        text_ += "\"/>\n";
    }
    // Beside the title, from the right: above the lines and away from them.
    void legend(const std::vector<std::pair<std::string, std::string>>& colours_and_words) {
        double at = right;
        for (auto each = colours_and_words.rbegin(); each != colours_and_words.rend(); ++each) {
            word(at, 26, each->second, light(each->first), 13, anchor::end, each->first);
            at -= 7.2 * static_cast<double>(each->second.size()) + 6;
            text_ += "<path class=\"" + each->first + "\" stroke=\"" + light(each->first) +
                     "\" stroke-width=\"2.5\" d=\"M" + number(at - 18) + " 21.5h16\"/>\n";
            at -= 32;
        }
    }

    void save(const std::string& file) {
        std::string body = std::exchange(text_, {});
        word(left, 26, title_, "#222", 15, anchor::start);
        word((left + right) / 2, 352, across_, "#444", 13, anchor::middle);
        std::ofstream(file) << body.insert(body.find('\n') + 1, style()) << text_
                            << "<path class=\"axis\" d=\"M" << number(left) << " " << number(top) << "V"
                            << number(bottom) << "H" << number(right)
                            << "\" stroke=\"#444\" fill=\"none\"/>\n</svg>\n";
    }

  private:
    static constexpr double left = 60, right = 690, top = 44, bottom = 310;

    double x(double value) const { return left + (right - left) * value / x_most_; }
    double y(double value) const { return bottom - (bottom - top) * value / y_most_; }

    std::string light(const std::string& name) const {
        for (const auto& [known, colour] : colours_) {
            if (known == name) {
                return colour;
            }
        }
        return "#222";
    }

    void word(double at, double base, const std::string& what, const std::string& colour, int size, anchor to,
              const std::string& name = "word") {
        text_ += "<text class=\"" + name + "\" x=\"" + number(at) + "\" y=\"" + number(base) + "\" fill=\"" +
                 colour + "\" font-size=\"" + std::to_string(size) + "\"" +
                 (to == anchor::start    ? ""
                  : to == anchor::middle ? " text-anchor=\"middle\""
                                         : " text-anchor=\"end\"") +
                 ">" + what + "</text>\n";
    }

    std::string style() const {
        return "<style>@media (prefers-color-scheme: dark){\n.paper{fill:#0d1117} .word{fill:#d0d7de} "
               ".grid{stroke:#30363d} .axis{stroke:#9198a1}\n" +
               dark_ + "}</style>\n<rect class=\"paper\" width=\"720\" height=\"360\" fill=\"white\"/>\n";
    }

    double x_most_, y_most_;
    std::string text_, title_, across_, dark_;
    std::vector<std::pair<std::string, std::string>> colours_;
};

} // namespace linkrunner::test
