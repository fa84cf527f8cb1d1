#include "cli/manual.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class a_program : public testing::Test {
  protected:
    a_program() {
        program_.add_option("-s,--socket", text_, "where it is")
            ->envname("SOCKET")
            ->type_name("PATH")
            ->capture_default_str();
        program_.add_flag("--json", flag_, "as JSON");
        CLI::App* dead = program_.add_subcommand("dead", "dead letters");
        CLI::App* list = dead->add_subcommand("list", "list them");
        list->add_option("--reason", text_, "why")
            ->check(CLI::IsMember({"rejected", "age"}))
            ->type_name("REASON");
        list->add_option("NUMBERS", numbers_, "which")->required();
        CLI::Option_group* group = program_.add_option_group("instead");
        group->add_flag("--check", flag_, ".only look");
        text.summary = "does a thing";
        text.description = "First.\n\n'quoted' back\\slash";
        text.sections = {{"Examples", "So:\n  program dead list 1\nThen."}};
        text.see_also = {"other(1)", "third(8)"};
        add_printing(program_, text);
    }
    std::string printed(const char* flag) {
        const char* words[] = {"program", flag};
        try {
            program_.parse(2, words);
        } catch (const CLI::CallForVersion& what) {
            return what.what();
        }
        return {};
    }
    std::string text_ = "/run/s";
    std::vector<int> numbers_;
    bool flag_ = false;
    manual_text text;
    CLI::App program_{"Does a thing.", "program"};
};

TEST_F(a_program, has_a_manual_page_that_says_what_help_says) {
    const std::string page = man_page(program_, text);
    for (const char* words :
         {".TH PROGRAM 1", "program \\- does a thing\n",
          "\\fB\\-s\\fR, \\fB\\-\\-socket\\fR \\fIPATH\\fR\nwhere it is (default: /run/s); or the variable "
          "SOCKET",
          "\\fB\\-\\-json\\fR\nas JSON", "\\fB\\-\\-check\\fR\n\\&.only look",
          ".SS \\fBdead list\\fR [\\fIOPTIONS\\fR] \\fINUMBERS...\\fR\nlist them.",
          "\\fB\\-\\-reason\\fR \\fIREASON\\fR\nwhy\n", "First.\n.PP\n\\&'quoted' back\\eslash",
          ".PP\n.nf\nprogram dead list 1\n.fi\n.PP\nThen.", ".BR other (1) ,\n.BR third (8)\n"}) {
        EXPECT_THAT(page, HasSubstr(words));
    }
    EXPECT_THAT(page, Not(HasSubstr("print\\-manual")));
    EXPECT_EQ(printed("--print-manual"), page);
}

TEST_F(a_program, has_a_completion_with_its_commands_flags_and_choices) {
    const std::string script = bash_completion(program_);
    EXPECT_THAT(script, HasSubstr("'') words='--help --socket --json --check dead ' ;;"));
    EXPECT_THAT(script, HasSubstr("' dead list') words='--help --reason ' ;;"));
    EXPECT_THAT(script, HasSubstr("--reason) words='rejected age ' ;;"));
    EXPECT_THAT(script, HasSubstr("complete -o default -F _program program\n"));
    EXPECT_EQ(printed("--print-completion"), script);
}

} // namespace
} // namespace linkrunner::cli
