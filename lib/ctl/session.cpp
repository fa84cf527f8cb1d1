#include "ctl/session.hpp"

#include "ctl/fields.hpp"

#include <boost/json.hpp>

#include <cctype>
#include <filesystem>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds connect_limit{5};
constexpr std::chrono::minutes answer_limit{10}; // an audit of a large spool takes its time

std::string user_name(uid_t id) {
    const passwd* found = ::getpwuid(id);
    return found != nullptr ? found->pw_name : std::to_string(id);
}

std::string group_name(gid_t id) {
    const group* found = ::getgrgid(id);
    return found != nullptr ? found->gr_name : std::to_string(id);
}

std::string words_for_no_permission(const std::string& path) {
    std::string out;
    struct stat file{};
    if (::stat(path.c_str(), &file) == 0) {
        char mode[8];
        std::snprintf(mode, sizeof mode, "%04o", file.st_mode & 07777U);
        out = "It belongs to user " + user_name(file.st_uid) + " and group " + group_name(file.st_gid) +
              ", with mode " + mode + "; ";
    } else {
        out = "Its directory " + std::filesystem::path(path).parent_path().string() +
              " lets you not even look at it; ";
    }
    return out + "you are " + user_name(::geteuid()) +
           ".\nRun this as root or as that user (sudo linkrunnerctl ...). To let a group of operators in, "
           "set\n"
           "control.unix_group to their group and control.unix_mode to \"0660\", and restart linkrunnerd.";
}

} // namespace

std::string words_for_unreachable(const std::string& path, const std::error_code& why) {
    const std::string other = "If it listens elsewhere (control.listen), say where: --socket PATH, or the "
                              "variable LINKRUNNERCTL_SOCKET.";
    std::string out = "cannot reach linkrunnerd at " + path + ": ";
    if (why == std::errc::no_such_file_or_directory) {
        return out + "there is no such socket.\nIs linkrunnerd running? See: systemctl status linkrunnerd. " +
               other;
    }
    if (why == std::errc::connection_refused) {
        return out +
               "nobody listens there.\nlinkrunnerd has ended without cleaning up (killed, or a crash). See: "
               "systemctl status linkrunnerd, journalctl -u linkrunnerd.\n" +
               other;
    }
    if (why == std::errc::permission_denied) {
        return out + "permission denied.\n" + words_for_no_permission(path);
    }
    if (why == std::errc::timed_out) {
        return out +
               "no answer in time.\nThe process may hang: see systemctl status linkrunnerd and its log.";
    }
    return out + why.message() + ".\nIs linkrunnerd running? " + other;
}

std::string with_query(std::string_view path,
                       const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string out(path);
    char mark = '?';
    for (const auto& [name, value] : fields) {
        if (value.empty()) {
            continue;
        }
        out += std::exchange(mark, '&') + name + "=";
        for (const char c : value) {
            if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.') {
                out += c;
            } else {
                char code[4];
                std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
                out += code;
            }
        }
    }
    return out;
}

session::session(const std::string& socket) : path_(socket) {
    if (path_.starts_with("unix:")) {
        path_.erase(0, 5);
    }
    auto made = net::caller::connect("unix:" + path_, connect_limit);
    if (!made) {
        throw failure(exit_unreachable, words_for_unreachable(path_, made.error().code));
    }
    daemon_ = std::move(*made);
}

net::called session::ask(const net::call& request) {
    auto answer = daemon_->exchange(request, answer_limit);
    // A connection that was idle for long is closed by the daemon. What only asks may be asked again.
    if (!answer && request.method == "GET" && answer.error().code == std::errc::connection_reset) {
        answer = daemon_->exchange(request, answer_limit);
    }
    if (!answer) {
        throw failure(exit_unreachable, words_for_unreachable(path_, answer.error().code));
    }
    return std::move(*answer);
}

json::value session::data_of(const net::called& answer) {
    boost::system::error_code failed;
    const json::value whole = json::parse(answer.body, failed);
    if (failed || !whole.is_object() || !whole.get_object().contains("data")) {
        throw failure(exit_failed, path_ + " answers with status " + std::to_string(answer.status) +
                                       " and not as linkrunnerd does; is it its control socket?");
    }
    if (answer.status >= 300) {
        const std::string code = text_at(whole, "/data/code");
        throw failure(exit_failed, text_at(whole, "/msg") + (code.empty() ? "" : " (" + code + ")"));
    }
    constexpr std::string_view key = ",\"data\":"; // within a text its quotes would be escaped
    const auto begin = answer.body.find(key);
    const auto end = answer.body.rfind('}');
    raw_ = answer.body.substr(begin + key.size(), end - begin - key.size());
    return whole.at("data");
}

json::value session::get(const std::string& target) {
    net::call request;
    request.target = target;
    return data_of(ask(request));
}

json::value session::post(const std::string& target, const json::value& body) {
    net::call request;
    request.method = "POST";
    request.target = target;
    request.body = body.is_null() ? "" : json::serialize(body);
    return data_of(ask(request));
}

void session::follow(const std::string& target) {
    net::call request;
    request.target = target;
    auto answer = daemon_->begin(request, connect_limit);
    if (!answer) {
        throw failure(exit_unreachable, words_for_unreachable(path_, answer.error().code));
    }
    if (answer->status != 200) {
        data_of(*answer);
    }
}

std::optional<std::string> session::next_line() {
    auto line = daemon_->next_line();
    if (!line) {
        throw failure(exit_unreachable, "linkrunnerd at " + path_ + " has ended");
    }
    return std::move(*line);
}

} // namespace linkrunner::ctl
