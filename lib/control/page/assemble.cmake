# Puts page.html, page.css and page.js together to one C++ source: cmake -DFROM=<this folder> -DINTO=<file.cpp> -P
# The Content-Security-Policy names the two by their hashes (base64 of SHA-256, W3C CSP3 section 2.3.1).
cmake_minimum_required(VERSION 3.25)

function(base64_of_hex hex result)
  set(letters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(text "")
  string(APPEND hex "00") # 32 bytes and one of padding: 11 groups of 3
  foreach(group RANGE 0 10)
    math(EXPR at "${group} * 6")
    string(SUBSTRING "${hex}" ${at} 6 three)
    foreach(shift 18 12 6 0)
      math(EXPR place "(0x${three} >> ${shift}) & 63")
      string(SUBSTRING "${letters}" ${place} 1 letter)
      string(APPEND text "${letter}")
    endforeach()
  endforeach()
  string(SUBSTRING "${text}" 0 43 text)
  set(${result} "${text}=" PARENT_SCOPE)
endfunction()

foreach(part style=css script=js)
  string(REGEX MATCH "(.*)=(.*)" whole "${part}")
  set(name "${CMAKE_MATCH_1}")
  set(file "${FROM}/page.${CMAKE_MATCH_2}")
  file(READ "${file}" ${name})
  file(SHA256 "${file}" hex)
  base64_of_hex("${hex}" ${name}_hash)
endforeach()
file(READ "${FROM}/page.html" page)
string(REPLACE "@style@" "${style}" page "${page}")
string(REPLACE "@script@" "${script}" page "${page}")
string(SHA256 whole "${page}")
string(SUBSTRING "${whole}" 0 16 tag)

file(WRITE "${INTO}" "// Made by lib/control/page/assemble.cmake.
#include \"control/page.hpp\"

namespace linkrunner::control {

const std::string_view page_html = R\"page(${page})page\";
const std::string_view page_etag = \"\\\"${tag}\\\"\";
const std::string_view page_policy =
    \"default-src 'none'; script-src 'sha256-${script_hash}'; style-src 'sha256-${style_hash}'; \"
    \"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\";

} // namespace linkrunner::control
")
