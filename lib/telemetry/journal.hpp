// The native protocol of systemd's journal (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram for
// each line, with its fields, so that `journalctl EVENT_ID=...` finds it. Thread-safe.
//
// A journal that does not read holds the caller up once, for 100 ms; from then on lines are left out without
// waiting, until one goes through, which says how many are missing (lines_lost).
#pragma once

#include "telemetry/log.hpp"

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace linkrunner::log {

// The name of a field in the journal: "event_id" becomes EVENT_ID. Names that mean something to the journal
// itself get a prefix: LINKRUNNERD_MESSAGE.
std::string journal_field(std::string_view key);

// The whole datagram: MESSAGE, PRIORITY (sd-daemon(3)), SYSLOG_IDENTIFIER, then the fields, whose values are
// as they are, cut like those of text lines.
std::string journal_entry(level severity, std::string_view message, std::initializer_list<field> fields);

class journal {
  public:
    explicit journal(std::string socket);
    ~journal();
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    // False: the journal cannot be reached this way, and the line is still to be written.
    bool write(level severity, const std::string& message, std::initializer_list<field> fields);

  private:
    const std::string path_;
    int socket_ = -1;
    std::atomic<bool> stuck_ = false;
    std::atomic<std::uint64_t> lost_ = 0;
};

} // namespace linkrunner::log
