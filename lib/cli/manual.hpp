// The manual page and the bash completion of a program, made from its command line: what --help says, they
// say. Wraps CLI11. Pure, but for the flags that print them.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace linkrunner::cli {

// What the command line itself does not know.
struct manual_text {
    int section = 1;
    std::string summary;     // of the line NAME: what it is, in a few words
    std::string description; // paragraphs, an empty line between them
    // More of them, in order: title, and paragraphs; lines that begin with two spaces stay as they are.
    std::vector<std::pair<std::string, std::string>> sections;
    std::vector<std::string> see_also; // "linkrunnerd(8)"
};

// roff with the macros of man(7).
std::string man_page(const CLI::App& program, const manual_text& text);

// A script for bash: commands, flags, and the words of flags that take one of a few; else file names.
std::string bash_completion(const CLI::App& program);

// Adds --print-manual and --print-completion, which are not in --help: the build makes the files with them.
void add_printing(CLI::App& program, manual_text text);

} // namespace linkrunner::cli
