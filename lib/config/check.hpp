// What no single value can tell: rules over several keys, and over the files and names that they point to.
// Adds problems and notes to the assembly.
#pragma once

#include "config/assembly.hpp"

namespace linkrunner::config {

void check_listeners(assembly& all);
void check_upstream(assembly& all);
void check_lanes(assembly& all);
void check_events(assembly& all);
void check_bounds(assembly& all); // values that contradict each other, or that give up a promise

// Finds the server key and the intake token (files, systemd credential, environment).
void resolve_secrets(assembly& all, const lookup& environment);

// Adds a problem unless the file that the key names, if any, can be read.
void check_readable(assembly& all, std::string_view name, const std::string& file);

} // namespace linkrunner::config
