// The Lua standard library as it was compiled into this binary: every stdlib/perilune/**/*.lua, byte for byte.
// The table is written by cmake/embed_stdlib.cmake at build time. Uses nothing but the standard library.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace perilune::lua {

struct StdlibFile {
  const char* name;       // the path below stdlib/, as "perilune/test.lua"
  std::string_view text;  // lives as long as the program
};

// Sorted by name; empty when the library has no files.
std::span<const StdlibFile> stdlib_files();

}  // namespace perilune::lua
