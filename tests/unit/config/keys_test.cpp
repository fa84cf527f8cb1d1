// Every key of the table, from every source.
#include "config/key.hpp"
#include "config/value.hpp"
#include "support.hpp"

#include <gmock/gmock.h>

#include <set>

namespace linkrunner::config {
namespace {

// Another value than the default that passes all checks, as it is written in a text.
std::string other_value(const key& each, const test::directory& files) {
    static const std::map<std::string_view, std::string> chosen = {
        {"intake.listen", "127.0.0.1:1, unix:@other"},
        {"intake.unix_group", "0"},
        {"intake.max_event", "2MB"},
        {"upstream.url", "http://127.0.0.1:8080/api/v1"},
        {"upstream.proxy", "http://127.0.0.1:3128"},
        {"shutdown.handoff", "http://gateway:7417"},
        {"delivery.rate", "auto"},
        {"delivery.max_age", "36h"},
        {"delivery.lanes", "[{name: all, weight: 3, names: [\"*\"]}]"},
        {"events.redact", "[{key: email, action: mask}]"},
        {"events.add", "[{key: environment, value: test}]"},
        {"events.rules", "[{names: [\"debug_*\"], drop: true}]"},
        {"spool.directory", "/tmp/other"},
        {"observe.listen", "127.0.0.1:2"},
        {"control.listen", "unix:/tmp/other.sock"},
        {"control.unix_mode", "0660"},
        {"control.unix_group", "0"},
    };
    if (const auto found = chosen.find(each.name); found != chosen.end()) {
        return found->second;
    }
    settings defaults;
    const std::string usual = print_value(each.at(defaults), each.form);
    switch (each.form.type) {
    case kind::choice:
        return std::string(each.form.choices[usual == each.form.choices[0] ? 1 : 0]);
    case kind::flag:
        return usual == "true" ? "false" : "true";
    case kind::mode:
        return "0600";
    case kind::texts:
        return "one, two";
    case kind::counts:
        return "1, 2";
    case kind::text:
        return files.path("secret");
    default: {
        shape upper = each.form; // half of the way up is within every bound
        return print_bound(upper, static_cast<double>(static_cast<std::int64_t>(
                                      std::min((upper.least + upper.most) / 2, 1e9))));
    }
    }
}

std::string flow(const key& each, const std::string& value) {
    const bool list = each.form.type == kind::texts || each.form.type == kind::counts;
    return list ? "[" + value + "]" : each.form.type == kind::records ? value : "\"" + value + "\"";
}

class Keys : public test::Configuration {
  protected:
    Keys() { files.write("secret", "s3cret\n"); }

    // Keys that are good only together with others.
    void add_companions(std::string_view name) {
        const auto set = [this](const char* companion) {
            overrides.push_back(std::string(companion) + "=" + files.path("secret"));
        };
        if (name.starts_with("intake.tls.")) {
            for (const char* each : {"intake.tls.cert_file", "intake.tls.key_file"}) {
                if (name != each) {
                    set(each);
                }
            }
        } else if (name == "upstream.client_cert_file") {
            set("upstream.client_key_file");
        } else if (name == "upstream.client_key_file") {
            set("upstream.client_cert_file");
        } else if (name == "upstream.kind") {
            overrides.push_back("upstream.url=http://gateway:7417");
        } else if (name == "upstream.token_file") {
            overrides.push_back("upstream.kind=forwarder");
            overrides.push_back("upstream.url=http://gateway:7417");
        } else if (name.starts_with("shutdown.handoff_")) {
            overrides.push_back("shutdown.handoff=http://gateway:7417");
        } else if (name == "delivery.backoff.initial") {
            overrides.push_back("delivery.backoff.max=1d");
        }
    }

    static std::string printed(const loaded& from, const key& each) {
        settings values = from.values;
        return print_value(each.at(values), each.form);
    }

    // The key's value as read from a source, without the source's own companions staying behind.
    template <class Put>
    std::string read_back(const key& each, const std::string& expected_origin, Put put) {
        environment = {{"LINKRUNNER_SERVER_KEY", "the-server-key"}};
        overrides.clear();
        add_companions(each.name);
        const std::string yaml = put();
        const loaded got = good(yaml);
        EXPECT_THAT(origin(got, std::string(each.name)), testing::EndsWith(expected_origin)) << each.name;
        return printed(got, each);
    }
};

std::string nested(std::string_view name, const std::string& value) {
    std::string out;
    std::string indent;
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t dot = std::min(name.find('.', at), name.size());
        out += (at == 0 ? "" : "\n") + indent + std::string(name.substr(at, dot - at)) + ":";
        indent += "  ";
        at = dot + 1;
    }
    return out + " " + value + "\n";
}

TEST_F(Keys, EachCanBeSetByFileEnvironmentAndCommandLineAlike) {
    for (const key& each : keys()) {
        const std::string name(each.name);
        const std::string value = other_value(each, files);
        settings defaults;
        const std::string usual = print_value(each.at(defaults), each.form);

        const auto parts = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) + 1;
        const std::string by_file = read_back(each, "c.yaml:" + std::to_string(parts),
                                              [&] { return nested(name, flow(each, value)); });
        const std::string by_reference = read_back(each, "c.yaml:" + std::to_string(parts), [&] {
            environment["VALUE"] = value;
            return nested(name, "${VALUE}");
        });
        const std::string by_environment = read_back(each, "environment " + environment_name(name), [&] {
            environment[environment_name(name)] = value;
            return "";
        });
        const std::string by_command_line = read_back(each, "--set", [&] {
            overrides.push_back(name + "=" + value);
            return "";
        });
        EXPECT_NE(by_file, usual) << name;
        EXPECT_EQ(by_reference, by_file) << name;
        EXPECT_EQ(by_environment, by_file) << name;
        EXPECT_EQ(by_command_line, by_file) << name;
    }
}

TEST_F(Keys, HaveNamesThatAreUniqueAndMapToTheEnvironmentAndBack) {
    std::set<std::string_view> names;
    for (const key& each : keys()) {
        EXPECT_TRUE(names.insert(each.name).second) << each.name;
        EXPECT_EQ(key_name(environment_name(each.name)), each.name);
        EXPECT_TRUE(is_section(each.name.substr(0, each.name.find('.')))) << each.name;
        EXPECT_FALSE(is_section(each.name)) << each.name;
    }
    EXPECT_EQ(environment_name("delivery.backoff.max"), "LINKRUNNERD_DELIVERY__BACKOFF__MAX");
}

TEST_F(Keys, HaveDefaultsWithinTheirOwnBounds) {
    settings defaults;
    std::vector<problem> problems;
    value_reader reader("default", {}, problems);
    for (const key& each : keys()) {
        std::string text = print_value(each.at(defaults), each.form);
        if (text.starts_with('"')) {
            text = text.substr(1, text.size() - 2);
        }
        EXPECT_TRUE(reader.read(each.at(defaults), each.form, each.name, text)) << each.name << " " << text;
    }
    EXPECT_EQ(defaults, settings{});
}

TEST_F(Keys, ALaterSourceOverridesAnEarlierOne) {
    const std::string yaml = "intake: {max_batch: 1, max_depth: 11, max_waiters: 21}\n";
    environment["LINKRUNNERD_INTAKE__MAX_BATCH"] = "2";
    environment["LINKRUNNERD_INTAKE__MAX_DEPTH"] = "12";
    overrides = {"intake.max_batch=3", "intake.max_batch=4"};
    const loaded got = good(yaml);
    EXPECT_EQ(got.values.intake.max_batch, 4U);
    EXPECT_EQ(got.values.intake.max_depth, 12U);
    EXPECT_EQ(got.values.intake.max_waiters, 21U);
    EXPECT_EQ(origin(got, "intake.max_batch"), "--set");
    EXPECT_EQ(origin(got, "intake.max_depth"), "environment LINKRUNNERD_INTAKE__MAX_DEPTH");
    EXPECT_EQ(origin(got, "intake.max_waiters"), files.path("c.yaml") + ":1");
    EXPECT_EQ(origin(got, "intake.max_body"), "default");
}

} // namespace
} // namespace linkrunner::config
