// See versions.hpp. The libraries are asked by the one function each has for this, declared here: their headers stay
// behind the borders of the rooms that own them.
// SPDX-License-Identifier: MIT
#include "bindings/cli/versions.hpp"

#include <string_view>

extern "C" {
const char* sqlite3_libversion(void);
const char* uv_version_string(void);
char* curl_version(void);
extern const char lua_ident[];
}

namespace perilune::cli {
namespace {

// "libcurl/7.88.1 OpenSSL/3.0.15 ..." -> "7.88.1"; "$LuaVersion: Lua 5.4.4  Copyright ..." -> "5.4.4"
std::string word_after(std::string_view text, std::string_view marker) {
  size_t at = text.find(marker);
  if (at == std::string_view::npos) return std::string(text);
  at += marker.size();
  return std::string(text.substr(at, text.find(' ', at) - at));
}

}  // namespace

std::vector<Version> versions() {
  return {{"perilune", PERILUNE_VERSION},
          {"lua", word_after(lua_ident, "Lua ")},
          {"libuv", uv_version_string()},
          {"sqlite", sqlite3_libversion()},
          {"curl", word_after(curl_version(), "libcurl/")}};
}

}  // namespace perilune::cli
