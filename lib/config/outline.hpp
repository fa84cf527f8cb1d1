// Dotted names as indented YAML lines.
#pragma once

#include <string>
#include <string_view>

namespace linkrunner::config {

class outline {
  public:
    // Opens the sections of a dotted name that are not open yet; returns the indented last part: " max_age".
    std::string enter(std::string& out, std::string_view name);

  private:
    std::string open_; // "delivery.backoff." of the line before
};

} // namespace linkrunner::config
