// What an event costs in the spool, beside a bare log (bare_log.hpp) and SQLite in WAL mode with
// synchronous=FULL on the same work: appends in groups of 1, 8, 64 and 512, a mixed run that marks each event
// delivered, a restart with a backlog, and memory. Events of 300 bytes. Usage: spool_bench [directory]
// [events] [mixed]; with `mixed`, only that run, of the bare log and the spool.
#include "bare_log.hpp"
#include "spool/store.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sqlite3.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace linkrunner;

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t from_proc(const char* file, const std::string& key) {
    std::ifstream in(file);
    std::string word;
    while (in >> word) {
        if (word == key) {
            std::uint64_t value = 0;
            in >> value;
            return value;
        }
    }
    return 0;
}

struct measured {
    double seconds = 0;
    double cpu = 0;
    std::uint64_t written = 0;
};

measured measure(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    const std::uint64_t written = from_proc("/proc/self/io", "write_bytes:");
    work();
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            cpu_seconds() - cpu, from_proc("/proc/self/io", "write_bytes:") - written};
}

void print(const std::string& name, const measured& took, std::size_t events) {
    const auto each = static_cast<double>(events);
    std::printf("%-34s %10.0f/s %8.2f us CPU %8.0f B written, each\n", name.c_str(), each / took.seconds,
                took.cpu * 1e6 / each, static_cast<double>(took.written) / each);
    std::fflush(stdout);
}

spool::new_event make_event(std::uint64_t number) {
    spool::new_event out;
    const std::string id = std::to_string(1000000000000 + number) + "-7a31-4c2e-9d55-0f1e2d3c4b5a";
    out.name = "purchase_completed";
    out.event_id = id;
    out.user_key = number % 1000;
    out.accepted_at = system_clock().wall();
    out.body = R"({"event_name":"purchase_completed","user_id":"user-)" + std::to_string(number % 1000) +
               R"(","event_id":")" + id + R"(","event_data":{"amount":12.50,"currency":"EUR","items":")";
    out.body.resize(298, 'x');
    out.body += "\"}";
    out.identity = hash128(7, {out.name, id});
    out.body_hash = hash64(7, out.body);
    return out;
}

// A round of jobs with one event each, as single POSTs arrive.
std::vector<spool::append_job> make_jobs(std::uint64_t from, std::size_t count) {
    std::vector<spool::append_job> jobs(count);
    for (std::size_t i = 0; i < count; ++i) {
        jobs[i].events.push_back(make_event(from + i));
    }
    return jobs;
}

struct spool_run {
    explicit spool_run(std::string directory) {
        options.directory = std::move(directory);
        options.max_bytes = std::uint64_t{8} << 30;
        open();
    }
    void open() {
        spool::recovery_report found;
        store = spool::store::open(options, *files, time, random, found).value();
    }
    void append(std::uint64_t from, std::size_t group, bool complete) {
        std::vector<spool::append_job> jobs = make_jobs(from, group);
        std::vector<spool::mark_job> marks;
        if (complete) {
            marks.push_back(std::move(done));
            done = {};
            done.marks.reserve(group);
        }
        store->commit(jobs, marks);
        for (const spool::append_job& job : jobs) {
            if (!job.outcome) {
                std::fprintf(stderr, "refused: %s\n", job.outcome.error().message.c_str());
                std::exit(1);
            }
            if (complete) {
                spool::mark one;
                one.number = job.outcome->front().number;
                done.marks.push_back(one);
            }
        }
        if (store->due() && *store->due() <= time.steady()) {
            store->maintain();
        }
    }

    spool::settings options;
    std::unique_ptr<disk> files = make_posix_disk();
    system_clock time;
    system_random random;
    std::unique_ptr<spool::store> store;
    spool::mark_job done;
};

struct bare_run {
    explicit bare_run(std::string directory) : log(std::move(directory)) {}
    void append(std::uint64_t from, std::size_t group, bool complete) {
        const std::vector<spool::append_job> jobs = make_jobs(from, group);
        bodies.clear();
        for (const spool::append_job& job : jobs) {
            bodies.push_back(job.events.front().body);
        }
        const std::uint64_t last = std::exchange(done, {});
        if (complete && last != 0) {
            log.complete(last - group, last);
        }
        const std::uint64_t first = log.append(bodies);
        done = complete ? first + group : 0;
    }

    bare_log log;
    std::vector<std::string_view> bodies;
    std::uint64_t done = 0; // one past the events to be completed with the next group
};

class sqlite_run {
  public:
    explicit sqlite_run(const std::string& file) {
        check(sqlite3_open(file.c_str(), &database_));
        execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "CREATE TABLE events(number INTEGER PRIMARY KEY, lane INTEGER, accepted INTEGER, name TEXT,"
                " event_id TEXT, body BLOB);");
        prepare("INSERT INTO events VALUES(?1, 0, ?2, ?3, ?4, ?5)", &insert_);
        prepare("DELETE FROM events WHERE number = ?1", &remove_);
    }
    ~sqlite_run() {
        sqlite3_finalize(insert_);
        sqlite3_finalize(remove_);
        sqlite3_close(database_);
    }
    void append(std::uint64_t from, std::size_t group, bool complete) {
        execute("BEGIN");
        for (std::size_t i = 0; i < group; ++i) {
            const spool::new_event event = make_event(from + i);
            sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(from + i));
            sqlite3_bind_int64(insert_, 2, event.accepted_at.time_since_epoch().count());
            text(3, event.name);
            text(4, event.event_id);
            text(5, event.body);
            step(insert_);
        }
        for (std::size_t i = 0; complete && from >= group && i < group; ++i) {
            sqlite3_bind_int64(remove_, 1, static_cast<sqlite3_int64>(from - group + i));
            step(remove_);
        }
        execute("COMMIT");
    }

  private:
    void check(int code) {
        if (code != SQLITE_OK && code != SQLITE_DONE) {
            std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(database_));
            std::exit(1);
        }
    }
    void execute(const char* sql) { check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }
    void prepare(const char* sql, sqlite3_stmt** into) {
        check(sqlite3_prepare_v2(database_, sql, -1, into, nullptr));
    }
    void text(int index, const std::string& value) {
        sqlite3_bind_text(insert_, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    }
    void step(sqlite3_stmt* statement) {
        check(sqlite3_step(statement));
        sqlite3_reset(statement);
    }

    sqlite3* database_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* remove_ = nullptr;
};

template <class Run>
measured mixed(const std::string& name, Run& run, std::uint64_t next, std::size_t events) {
    const measured took = measure([&] {
        for (std::size_t done = 0; done < events; done += 64, next += 64) {
            run.append(next, 64, true);
        }
    });
    print(name + ", append and complete, 64", took, events);
    return took;
}

template <class Run>
void compare(const std::string& name, Run& run, std::size_t events) {
    std::uint64_t next = 0;
    for (const std::size_t group : {1u, 8u, 64u, 512u}) {
        const std::size_t count = std::min(events, group * 3000);
        print(name + ", groups of " + std::to_string(group), measure([&] {
                  for (std::size_t done = 0; done < count; done += group, next += group) {
                      run.append(next, group, false);
                  }
              }),
              count);
    }
    mixed(name, run, next, events);
    std::printf("%-34s %10.1f MB resident\n", name.c_str(),
                static_cast<double>(from_proc("/proc/self/status", "VmRSS:")) / 1024);
}

double median(std::vector<double> of) {
    std::ranges::sort(of);
    return of[of.size() / 2];
}

// The bare log and the spool in turns, since a disk's speed changes within seconds. Without what it takes to
// make the events: it is the same for both.
void compare_mixed(const std::filesystem::path& base, std::size_t events, const measured& making) {
    std::vector<double> cpu;
    std::vector<double> bytes;
    for (const char* round : {"1", "2", "3", "4", "5"}) {
        for (const char* each : {"bare", "spool"}) {
            std::filesystem::create_directories(base / round / each);
        }
        bare_run bare(base / round / "bare");
        const measured least = mixed("bare log", bare, 0, events);
        spool_run run(base / round / "spool");
        const measured ours = mixed("spool", run, 0, events);
        cpu.push_back((ours.cpu - making.cpu) / (least.cpu - making.cpu));
        bytes.push_back(static_cast<double>(ours.written) / static_cast<double>(least.written));
    }
    std::printf("spool to bare log, append and complete, median: %.2f times the CPU, %.2f times the bytes\n",
                median(cpu), median(bytes));
}

void backlog(const std::string& directory, std::uint64_t events) {
    {
        spool_run run(directory);
        for (std::uint64_t next = 0; next < events; next += 512) {
            run.append(next, 512, false);
        }
        std::printf("%8llu pending: %24.1f MB resident\n", static_cast<unsigned long long>(events),
                    static_cast<double>(from_proc("/proc/self/status", "VmRSS:")) / 1024);
    }
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) { // a process of its own: its memory is a restarted daemon's
        ::execl("/proc/self/exe", "spool_bench", "restart", directory.c_str(), nullptr);
        ::_exit(127);
    }
    int how = 0;
    ::waitpid(child, &how, 0);
}

// From nothing to the first events in hand.
void restart(const std::string& directory) {
    const measured took = measure([&] {
        spool_run run(directory);
        const auto got = run.store->read(0, 0, 64, 1 << 20);
        std::printf("  restarted: %llu pending, %zu read, %.1f MB resident",
                    static_cast<unsigned long long>(run.store->status().events.pending), got->events.size(),
                    static_cast<double>(from_proc("/proc/self/status", "VmRSS:")) / 1024);
    });
    std::printf(", %.3f s, %.3f s CPU\n", took.seconds, took.cpu);
}

} // namespace

int main(int count, char** arguments) {
    namespace fs = std::filesystem;
    if (count > 2 && std::string(arguments[1]) == "restart") {
        restart(arguments[2]);
        return 0;
    }
    const fs::path base = count > 1 ? arguments[1] : fs::temp_directory_path() / "linkrunner_spool_bench";
    const std::size_t events = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 300'000;
    fs::remove_all(base);
    fs::create_directories(base);
    const measured making = measure([&] {
        for (std::size_t done = 0; done < events; done += 64) {
            if (make_jobs(done, 64).empty()) {
                std::exit(1);
            }
        }
    });
    print("making the events alone", making, events);
    compare_mixed(base, events, making);
    if (count > 3 && std::string(arguments[3]) == "mixed") {
        fs::remove_all(base);
        return 0;
    }
    for (const char* each : {"bare", "spool"}) {
        fs::create_directories(base / each);
    }
    {
        bare_run run(base / "bare");
        compare("bare log", run, events);
    }
    {
        spool_run run(base / "spool");
        compare("spool", run, events);
    }
    {
        sqlite_run run(base / "sqlite.db");
        compare("sqlite", run, events);
    }
    fs::remove_all(base);
    backlog(base / "one", 1'000'000);
    fs::remove_all(base);
    backlog(base / "three", 3'000'000);
    fs::remove_all(base);
    return 0;
}
