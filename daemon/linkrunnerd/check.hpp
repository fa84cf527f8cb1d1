// `linkrunnerd --check` and `--audit`: what is in the spool, without changing anything.
#pragma once

#include "config/load.hpp"

namespace linkrunner::daemon {

// Whether a start would succeed, and whether every file of the spool reads as it was written. Works beside a
// running daemon too, as a look at one moment. The exit code: 0, 74 (spool unusable or damaged) or 75 (in
// use, and in order); what was found goes to standard output, what is wrong to standard error. The
// configuration itself has been checked by its loading.
int check(const config::loaded& configuration);

// Recounts the ledger of a spool that is not in use. The exit code: 0 when it holds and the files agree, 74
// when not, 75 when the spool is in use.
int audit(const config::loaded& configuration);

} // namespace linkrunner::daemon
