// Dotted names as indented YAML lines.
#pragma once

#include <string>
#include <string_view>

namespace linkrunner::config {

class outline {
  public:
    // Opens the sections of a dotted name that are not open yet; returns the indented last part: " max_age".
    // What `prefix` holds stands before each line ("# " in an example).
    std::string enter(std::string& out, std::string_view name, std::string_view prefix = "");

  private:
    std::string open_; // "spool.dead." of the line before
};

} // namespace linkrunner::config
