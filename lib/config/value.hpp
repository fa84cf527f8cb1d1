// One value between its text (YAML, environment, command line) and its slot in the settings.
#pragma once

#include "config/expand.hpp"
#include "config/key.hpp"
#include "config/load.hpp"
#include "config/node.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::config {

// Reads values of one source into their slots; every problem found is added to a list. A value with a problem
// leaves its slot as it was.
class value_reader {
  public:
    // `source` says where values come from; for a file its name, which the line and column are added to.
    // References to the environment are resolved where `environment` is set. All must outlive the reader.
    value_reader(std::string source, lookup environment, std::vector<problem>& problems);

    // True when the value was taken. `name` is for messages.
    bool read(slot into, const shape& form, std::string_view name, const node& from);

    // A value that is one text.
    bool read(slot into, const shape& form, std::string_view name, std::string_view text);

    std::string where(const node& at) const;
    void complain(const node& at, std::string message);

  private:
    struct list_taker;

    bool read_scalar(slot into, const shape& form, std::string_view name, const node& at);
    bool read_list(slot into, const shape& form, std::string_view name, const std::vector<node>& items);
    bool read_texts(std::vector<std::string>& into, std::string_view name, const std::vector<node>& items);
    bool read_counts(std::vector<unsigned>& into, const shape& form, std::string_view name,
                     const std::vector<node>& items);
    template <class Record>
    bool read_records(std::vector<Record>& into, std::string_view name, const std::vector<node>& items);
    template <class Record>
    bool read_record(Record& into, const std::string& name, const node& from);
    bool expand_in_place(std::string_view name, node& scalar);

    std::string source_;
    lookup environment_;
    std::vector<problem>& problems_;
};

// The value as YAML that reads back as the same value (flow style, $ doubled).
std::string print_value(slot from, const shape& form);

// The same of a key, for people to see: the password in upstream.proxy as "********".
std::string print_shown(const key& which, settings& from);

// A text as a YAML scalar, in quotes where they are needed.
std::string print_text(std::string_view text);

// A bound of a shape, as its values are written: "16MiB", "1h".
std::string print_bound(const shape& form, double bound);

} // namespace linkrunner::config
