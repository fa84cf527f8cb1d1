// What people and editors read about the keys, made from the table of keys. Pure. Tests compare the committed
// docs/configuration.md, config/linkrunnerd.schema.json and config/linkrunnerd.yaml with these texts.
#pragma once

#include "config/key.hpp"

#include <string>

namespace linkrunner::config {

// A table for each section, in Markdown.
std::string reference_markdown();

// For editors: JSON Schema draft-07 (https://json-schema.org/draft-07/json-schema-validation).
std::string schema_json();

// Every key with its description and default, commented out.
std::string example_yaml();

// "whole number, 1 to 1000"; "duration, 100ms to 1h"; "`user` | `none`".
std::string describe(const shape& form);

} // namespace linkrunner::config
