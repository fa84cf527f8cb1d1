// Configuration texts loaded in a directory of their own, with an environment that the test makes up.
#pragma once

#include "config/load.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace linkrunner::config::test {

class directory {
  public:
    directory() {
        std::string name = (std::filesystem::temp_directory_path() / "config_test_XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no temporary directory");
        }
        path_ = name;
    }
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    ~directory() { std::filesystem::remove_all(path_); }

    std::string path(const std::string& name) const { return (path_ / name).string(); }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        std::ofstream(path(name), std::ios::binary) << text;
        ::chmod(path(name).c_str(), mode);
        return path(name);
    }

  private:
    std::filesystem::path path_;
};

class Configuration : public testing::Test {
  protected:
    using variables = std::map<std::string, std::string>;

    // Everything that a valid configuration needs is there unless the test takes it away.
    variables environment = {{"LINKRUNNER_SERVER_KEY", "the-server-key"}};
    std::vector<std::string> overrides;
    directory files;

    std::variant<loaded, std::vector<problem>> try_load(const std::string& file) {
        sources from;
        from.file = file;
        from.overrides = overrides;
        from.environment = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
        };
        for (const auto& each : environment) {
            if (each.first.starts_with("LINKRUNNERD_")) {
                from.environment_overrides.push_back(each);
            }
        }
        return load(from);
    }

    // The configuration of a text; fails the test with the problems if there are any.
    loaded good(const std::string& yaml) {
        auto outcome = try_load(yaml.empty() ? "" : files.write("c.yaml", yaml));
        if (const auto* problems = std::get_if<std::vector<problem>>(&outcome)) {
            for (const problem& each : *problems) {
                ADD_FAILURE() << each.where << ": " << each.message;
            }
            return {};
        }
        return std::get<loaded>(std::move(outcome));
    }

    // The problems of a text as "where: message", with the directory taken off.
    std::vector<std::string> bad(const std::string& yaml) {
        const auto outcome = try_load(yaml.empty() ? "" : files.write("c.yaml", yaml));
        std::vector<std::string> out;
        if (const auto* problems = std::get_if<std::vector<problem>>(&outcome)) {
            for (const problem& each : *problems) {
                std::string line = each.where + ": " + each.message;
                for (std::size_t at; (at = line.find(files.path(""))) != std::string::npos;) {
                    line.erase(at, files.path("").size());
                }
                out.push_back(std::move(line));
            }
        }
        return out;
    }

    static std::string origin(const loaded& from, const std::string& key) {
        for (const auto& [name, where] : from.origins) {
            if (name == key) {
                return where;
            }
        }
        return "no such key";
    }
};

} // namespace linkrunner::config::test
