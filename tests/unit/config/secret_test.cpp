#include "support.hpp"

#include <gmock/gmock.h>

namespace linkrunner::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Secret : public test::Configuration {
  protected:
    std::string with_key_file(const std::string& path) {
        return "upstream: {server_key_file: \"" + path + "\"}\n";
    }
};

TEST_F(Secret, IsReadWithBlanksAroundItTakenOff) {
    for (const char* text : {"k3y", "k3y\n", "k3y\r\n", "  k3y \n\n", "\tk3y"}) {
        EXPECT_EQ(*read_secret(files.write("key", text)), "k3y");
    }
}

TEST_F(Secret, WhatIsWrongIsSaidWithoutTheSecret) {
    const std::pair<std::string, const char*> table[] = {
        {"", "is empty"},
        {" \n", "is empty"},
        {"s3cret\nmore", "more than one line"},
        {"s3cret more", "a space"},
        {"s3cret\x01x", "a control character"},
        {"s3cret\xc3\xa9", "not ASCII"},
        {std::string("s3cret\0x", 8), "a control character"},
        {"s3cret" + std::string(5000, 'x'), "larger than 4096 bytes"}};
    for (const auto& [text, expected] : table) {
        const std::string path = files.write("key", text);
        const auto read = read_secret(path);
        ASSERT_TRUE(read.has_error()) << text;
        EXPECT_THAT(read.error().message, testing::StartsWith(path + " "));
        EXPECT_THAT(read.error().message, HasSubstr(expected));
        EXPECT_THAT(read.error().message, Not(HasSubstr("s3cret")));
    }
}

TEST_F(Secret, FilesThatCannotBeReadAreNamedWithTheReason) {
    EXPECT_EQ(read_secret("/nowhere/key").error().message,
              "/nowhere/key cannot be read: No such file or directory");
    EXPECT_EQ(read_secret(files.path("")).error().message,
              files.path("") + " cannot be read: Is a directory");
    EXPECT_EQ(
        read_secret("lr_live_s3cret").error().message,
        "the file that is named (not shown: it may be the secret itself) cannot be read: No such file or "
        "directory");
}

TEST_F(Secret, APipeThatNobodyWritesToDoesNotBlock) {
    ASSERT_EQ(::mkfifo(files.path("pipe").c_str(), 0600), 0);
    EXPECT_TRUE(read_secret(files.path("pipe")).has_error());
}

TEST_F(Secret, TheFileThatIsNamedComesFirstThenTheCredentialThenTheVariable) {
    const std::string file = files.write("key", "from-file\n");
    files.write("server_key", "from-credential\n");
    environment["CREDENTIALS_DIRECTORY"] = files.path("");
    environment["LINKRUNNER_SERVER_KEY"] = " from-variable\n";

    loaded got = good(with_key_file(file));
    EXPECT_EQ(got.values.server_key, "from-file");
    EXPECT_EQ(got.values.server_key_path, file);
    EXPECT_EQ(origin(got, "upstream.server_key"), "file " + file);

    got = good("");
    EXPECT_EQ(got.values.server_key, "from-credential");
    EXPECT_EQ(got.values.server_key_path, files.path("") + "/server_key");
    EXPECT_EQ(origin(got, "upstream.server_key"), "systemd credential server_key");

    std::filesystem::remove(files.path("server_key"));
    got = good("");
    EXPECT_EQ(got.values.server_key, "from-variable");
    EXPECT_EQ(got.values.server_key_path, "");
    EXPECT_EQ(origin(got, "upstream.server_key"), "environment LINKRUNNER_SERVER_KEY");
}

TEST_F(Secret, AFileThatIsWrongIsAProblemThoughAnotherSourceHasAKey) {
    EXPECT_THAT(
        bad(with_key_file("/nowhere/key")),
        ElementsAre("c.yaml:1:29: upstream.server_key_file: /nowhere/key cannot be read: No such file or "
                    "directory"));
}

TEST_F(Secret, WithoutAnyKeyTheWaysToGiveOneAreSaid) {
    if (std::filesystem::exists("/etc/linkrunnerd/server.key")) {
        GTEST_SKIP() << "this machine has a server key";
    }
    environment.clear();
    EXPECT_THAT(bad(""), ElementsAre("configuration: upstream.server_key_file: no server key; put it "
                                     "into /etc/linkrunnerd/server.key, or name its file here, or set "
                                     "LINKRUNNER_SERVER_KEY, or give the systemd credential server_key"));
}

TEST_F(Secret, ABadKeyInTheEnvironmentIsNotRepeated) {
    environment["LINKRUNNER_SERVER_KEY"] = "s3cret key";
    EXPECT_THAT(bad(""),
                ElementsAre("environment LINKRUNNER_SERVER_KEY: the server key holds a space, a control "
                            "character or a byte that is not ASCII"));
}

TEST_F(Secret, AFileThatEveryUserCanReadIsNoted) {
    EXPECT_THAT(good(with_key_file(files.write("key", "k", 0640))).notes, IsEmpty());
    EXPECT_THAT(good(with_key_file(files.write("key", "k", 0644))).notes,
                ElementsAre(HasSubstr("every user of this machine can read")));
}

} // namespace
} // namespace linkrunner::config
