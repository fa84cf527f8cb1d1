// A directory of its own for one test, removed at the end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace linkrunner::tests {

class temp_directory {
  public:
    temp_directory() {
        std::string name = std::filesystem::temp_directory_path() / "linkrunner-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("mkdtemp failed for " + name);
        }
        path_ = name;
    }
    ~temp_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temp_directory(const temp_directory&) = delete;
    temp_directory& operator=(const temp_directory&) = delete;

    std::string path() const { return path_.string(); }
    std::string operator/(const std::string& name) const { return path_ / name; }

    // Writes a file and returns its path.
    std::string write(const std::string& name, const std::string& content) const {
        const std::string file = path_ / name;
        std::ofstream out(file, std::ios::binary);
        out << content;
        if (!out.flush()) {
            throw std::runtime_error("cannot write " + file);
        }
        return file;
    }

  private:
    std::filesystem::path path_;
};

} // namespace linkrunner::tests
