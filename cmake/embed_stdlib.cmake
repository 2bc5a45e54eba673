# Compiles stdlib/perilune/**/*.lua into the binary: target perilune_stdlib, header bindings/lua/stdlib_files.hpp.
# Two halves. Included by CMakeLists.txt it declares the target; run with `cmake -P` by the build it writes the .cpp.
# The list of files stands in the command line, so that a file that comes or goes writes the table anew.
# SPDX-License-Identifier: MIT

# Every byte is an \xHH escape: nothing in a Lua text can end the literal. A new line of Lua starts a new literal.
function(write_stdlib_table root files output)
  string(REPLACE "|" ";" files "${files}")
  set(rows "")
  foreach(name IN LISTS files)
    file(READ "${root}/${name}" bytes HEX)
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
    string(REPLACE "\\x0a" "\\x0a\"\n     \"" bytes "${bytes}")
    string(APPEND rows "    {\"${name}\",\n     std::string_view(\n     \"${bytes}\", ${size})},\n")
  endforeach()
  file(WRITE "${output}" "// Written by cmake/embed_stdlib.cmake from ${root}: do not edit.\n"
       "#include <vector>\n\n#include \"bindings/lua/stdlib_files.hpp\"\n\nnamespace perilune::lua {\n\n"
       "std::span<const StdlibFile> stdlib_files() {\n"
       "  static const std::vector<StdlibFile> k_files = {\n${rows}  };\n  return k_files;\n}\n\n"
       "}  // namespace perilune::lua\n")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  write_stdlib_table("${ROOT}" "${FILES}" "${OUTPUT}")
  return()
endif()

set(stdlib_root ${PROJECT_SOURCE_DIR}/stdlib)
set(stdlib_table ${PROJECT_BINARY_DIR}/generated/stdlib_files.cpp)
file(GLOB_RECURSE stdlib_names CONFIGURE_DEPENDS RELATIVE ${stdlib_root} ${stdlib_root}/perilune/*.lua)
list(SORT stdlib_names)
list(TRANSFORM stdlib_names PREPEND ${stdlib_root}/ OUTPUT_VARIABLE stdlib_paths)
list(JOIN stdlib_names "|" stdlib_list)
add_custom_command(
  OUTPUT ${stdlib_table}
  COMMAND ${CMAKE_COMMAND} -DROOT=${stdlib_root} -DFILES=${stdlib_list} -DOUTPUT=${stdlib_table}
          -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${stdlib_paths} ${CMAKE_CURRENT_LIST_FILE}
  COMMENT "Embedding the Lua standard library"
  VERBATIM)
add_library(perilune_stdlib STATIC ${stdlib_table})
target_include_directories(perilune_stdlib PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(perilune_lua PUBLIC perilune_stdlib)
