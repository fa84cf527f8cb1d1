// The live page, one document with its style and script inside, as the build puts it together from
// lib/control/page/. Constant data; any thread.
#pragma once

#include <string_view>

namespace linkrunner::control {

extern const std::string_view page_html;
extern const std::string_view page_etag;   // of the document, in its quotes
extern const std::string_view page_policy; // Content-Security-Policy: nothing but its own style and script

} // namespace linkrunner::control
