// A reply as bytes on the wire, well-formed or not as its misbehaviour asks.
#pragma once

#include "sandbox/api.hpp"

#include <string>

namespace linkrunner::sandbox {

// Appends to what waits to be written, so that pipelined answers leave together. `close`: say so in the
// answer.
void append_answer(std::string& out, const reply& what, bool close);

} // namespace linkrunner::sandbox
