#include "config/check.hpp"
#include "config/load.hpp"
#include "config/units.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace linkrunner::config {
namespace {

constexpr std::size_t longest_secret = 4096;
constexpr const char* usual_key_file = "/etc/linkrunnerd/server.key";

class open_file {
  public:
    explicit open_file(const std::string& path)
        : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

// A name without a slash may be the secret itself, put where its file's name belongs.
std::string shown(const std::string& path) {
    return path.find('/') == std::string::npos
               ? "the file that is named (not shown: it may be the secret itself)"
               : path;
}

// Errors do not name the file.
result<std::string> read_whole(int descriptor) {
    std::string text;
    std::array<char, 1024> part{};
    while (text.size() <= longest_secret) {
        const ssize_t count = ::read(descriptor, part.data(), part.size());
        if (count < 0) {
            return system_failure(errno, "cannot be read");
        }
        if (count == 0) {
            return text;
        }
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return make_error(std::errc::file_too_large, "is larger than 4096 bytes: not a key");
}

std::string without_blanks_around(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return "";
    }
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

// What is wrong with a secret, never the secret. It goes into a header, so it must be one token (RFC 9110
// section 5.5).
std::string secret_problem(std::string_view secret) {
    if (secret.empty()) {
        return "is empty";
    }
    for (const char c : secret) {
        if (c == '\n' || c == '\r') {
            return "holds more than one line";
        }
        if (c <= 0x20 || c == 0x7F) { // char is signed here: bytes beyond ASCII are negative
            return "holds a space, a control character or a byte that is not ASCII";
        }
    }
    return "";
}

void note_if_public(assembly& all, std::string_view what, const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
        all.notes.push_back(std::string(what) + ": every user of this machine can read " + path +
                            "; chmod 0400 or 0440");
    }
}

void take_key_file(assembly& all, const std::string& path, const std::string& origin) {
    const auto read = read_secret(path);
    if (read.has_error()) {
        all.complain("upstream.server_key_file", read.error().message);
        return;
    }
    all.values.server_key = *read;
    all.values.server_key_path = path;
    all.places["upstream.server_key"] = {origin, origin};
    note_if_public(all, "upstream.server_key_file", path);
}

void resolve_server_key(assembly& all, const lookup& environment) {
    const auto variable = [&](const char* name) {
        return environment ? environment(name).value_or("") : std::string();
    };
    if (!all.values.upstream.server_key_file.empty()) {
        take_key_file(all, all.values.upstream.server_key_file,
                      "file " + all.values.upstream.server_key_file);
        return;
    }
    const std::string credentials = variable("CREDENTIALS_DIRECTORY"); // systemd.exec(5), LoadCredential=
    if (!credentials.empty() && ::access((credentials + "/server_key").c_str(), F_OK) == 0) {
        take_key_file(all, credentials + "/server_key", "systemd credential server_key");
        return;
    }
    if (const std::string given = without_blanks_around(variable("LINKRUNNER_SERVER_KEY")); !given.empty()) {
        if (const std::string wrong = secret_problem(given); !wrong.empty()) {
            all.problems.push_back({"environment LINKRUNNER_SERVER_KEY", "the server key " + wrong});
            return;
        }
        all.values.server_key = given;
        all.places["upstream.server_key"] = {"environment LINKRUNNER_SERVER_KEY",
                                             "environment LINKRUNNER_SERVER_KEY"};
        return;
    }
    if (::access(usual_key_file, F_OK) == 0) {
        take_key_file(all, usual_key_file, std::string("file ") + usual_key_file);
        return;
    }
    all.complain("upstream.server_key_file",
                 "no server key; put it into " + std::string(usual_key_file) +
                     ", or name its file here, or set LINKRUNNER_SERVER_KEY, or give the systemd credential "
                     "server_key");
}

void take_secret_file(assembly& all, std::string_view name, const std::string& file, std::string& into) {
    if (file.empty()) {
        return;
    }
    const auto secret = read_secret(file);
    if (secret.has_error()) {
        all.complain(name, secret.error().message);
        return;
    }
    into = *secret;
    note_if_public(all, name, file);
}

} // namespace

result<std::string> read_secret(const std::string& path) {
    const open_file file(path);
    if (file.descriptor() < 0) {
        return system_failure(errno, shown(path) + " cannot be read");
    }
    auto text = read_whole(file.descriptor());
    if (text.has_error()) {
        return error{text.error().code, shown(path) + " " + text.error().message};
    }
    std::string secret = without_blanks_around(*text);
    if (const std::string wrong = secret_problem(secret); !wrong.empty()) {
        return make_error(std::errc::invalid_argument, shown(path) + " " + wrong);
    }
    return secret;
}

void check_readable(assembly& all, std::string_view name, const std::string& file) {
    if (file.empty()) {
        return;
    }
    const open_file opened(file);
    struct stat status{};
    if (opened.descriptor() < 0) {
        all.complain(name, system_failure(errno, quote(file) + " cannot be read").message);
    } else if (::fstat(opened.descriptor(), &status) == 0 && S_ISDIR(status.st_mode)) {
        all.complain(name, quote(file) + " is a directory, not a file");
    }
}

void resolve_secrets(assembly& all, const lookup& environment) {
    if (!all.values.upstream.is_forwarder()) {
        resolve_server_key(all, environment);
    }
    take_secret_file(all, "upstream.token_file", all.values.upstream.token_file, all.values.upstream_token);
    take_secret_file(all, "shutdown.handoff_token_file", all.values.shutdown.handoff_token_file,
                     all.values.handoff_token);
    take_secret_file(all, "intake.token_file", all.values.intake.token_file, all.values.intake_token);
    take_secret_file(all, "events.redact_key_file", all.values.events.redact_key_file, all.values.redact_key);
}

} // namespace linkrunner::config
