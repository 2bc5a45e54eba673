// The house's rules, read off the sources: who may include whom (docs/architecture.md), and a few of tidiness.
// Each rule is a function from one file's text to complaints, so that it can be tried on made-up text as well: a rule
// that cannot fail proves nothing. Uses nothing of Perilune.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Complaints = std::vector<std::string>;
using Rule = Complaints (*)(const std::string& path, const std::string& text);

constexpr size_t k_lines_max = 500;

// ---- the table. Entries are prefixes of paths; a room always sees itself. A room that is missing here may see
// nothing.
const std::map<std::string, std::vector<std::string>> k_may_include = {
    {"runtime/base/", {}},
    {"runtime/loop/", {"runtime/base/"}},
    {"runtime/task/", {"runtime/base/", "runtime/loop/"}},
    {"runtime/journal/", {"runtime/base/", "runtime/loop/", "runtime/task/"}},
    {"runtime/store/", {"runtime/base/", "runtime/loop/", "runtime/journal/"}},
    {"runtime/effects/", {"runtime/base/", "runtime/loop/", "runtime/task/", "runtime/journal/"}},
    {"runtime/hooks/", {"runtime/base/", "runtime/loop/", "runtime/task/", "runtime/journal/"}},
    {"runtime/telemetry/", {"runtime/base/", "runtime/loop/", "runtime/task/", "runtime/journal/"}},
    {"runtime/flow/",
     {"runtime/base/", "runtime/loop/", "runtime/task/", "runtime/journal/", "runtime/store/store.hpp",
      "runtime/effects/", "runtime/hooks/"}},
    {"runtime/engine/", {"runtime/"}},
    {"bindings/lua/", {"runtime/"}},
    {"bindings/api/", {"runtime/", "bindings/lua/"}},
    {"bindings/testing/", {"runtime/", "bindings/lua/", "bindings/api/"}},
    {"bindings/c/", {"runtime/", "bindings/"}},
    {"bindings/cpp/", {"runtime/", "bindings/"}},
    {"bindings/cli/", {"runtime/", "bindings/"}},
    {"bindings/http/", {"runtime/", "bindings/"}},
    {"bindings/mcp/", {"runtime/", "bindings/"}},
};

// Foreign headers, and the only files that may include them. An empty list: any .cpp, but no header of ours.
const std::map<std::string, std::vector<std::string>> k_borders = {
    {"lua.h", {"bindings/lua/", "bindings/api/"}},
    {"lauxlib.h", {"bindings/lua/", "bindings/api/"}},
    {"lualib.h", {"bindings/lua/", "bindings/api/"}},
    {"lua.hpp", {"bindings/lua/", "bindings/api/"}},
    {"uv.h", {"runtime/loop/", "runtime/effects/"}},
    {"sqlite3.h", {"runtime/store/sqlite_connection."}},
    {"libpq-fe.h", {"runtime/store/postgres_connection."}},
    {"curl/curl.h", {"runtime/effects/http_"}},
    {"nlohmann/json.hpp", {}},
};

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return text.starts_with(prefix); });
}

bool is_header(const std::string& path) { return path.ends_with(".hpp") || path.ends_with(".h"); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string at(const std::string& path, size_t index) { return path + ":" + std::to_string(index + 1) + ": "; }

// The lines that contain a match of `pattern`, each with the same complaint. Line comments count unless told otherwise.
Complaints lines_that_match(const std::string& path, const std::string& text, const std::regex& pattern,
                            const std::string& complaint, bool in_comments) {
  Complaints complaints;
  const auto lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); i++) {
    const std::string line = in_comments ? lines[i] : lines[i].substr(0, lines[i].find("//"));
    if (std::regex_search(line, pattern)) complaints.push_back(at(path, i) + complaint);
  }
  return complaints;
}

// ---- the rules

struct Include {
  size_t line;
  std::string target;
  bool quoted;
};

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex k_include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  const auto lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); i++) {
    std::smatch match;
    if (std::regex_search(lines[i], match, k_include)) includes.push_back({i, match[2], match[1] == "\""});
  }
  return includes;
}

Complaints rooms_see_only_what_lies_below(const std::string& path, const std::string& text) {
  const size_t room_end = path.find('/', path.find('/') + 1);
  if (room_end == std::string::npos) return {path + ": lies in no room"};
  const std::string room = path.substr(0, room_end + 1);
  const auto found = k_may_include.find(room);
  if (found == k_may_include.end()) return {path + ": the room " + room + " is not in the table of includes"};

  Complaints complaints;
  for (const Include& include : includes_of(text)) {
    const std::string& target = include.target;
    const bool ours = target.starts_with("runtime/") || target.starts_with("bindings/");
    if (!ours && include.quoted) complaints.push_back(at(path, include.line) + target + " is not written from the top");
    if (!ours || target.starts_with(room)) continue;
    if (!starts_with_any(target, found->second)) {
      complaints.push_back(at(path, include.line) + room + " may not include " + target);
    } else if (!is_header(target)) {
      complaints.push_back(at(path, include.line) + target + " is no header");
    }
  }
  return complaints;
}

Complaints foreign_headers_stay_behind_their_border(const std::string& path, const std::string& text) {
  Complaints complaints;
  for (const Include& include : includes_of(text)) {
    const auto found = k_borders.find(include.target);
    if (found == k_borders.end()) continue;
    const bool allowed = found->second.empty() ? !is_header(path) : starts_with_any(path, found->second);
    if (!allowed) complaints.push_back(at(path, include.line) + include.target + " may not be included here");
  }
  return complaints;
}

Complaints files_stay_short(const std::string& path, const std::string& text) {
  const size_t count = lines_of(text).size();
  if (count <= k_lines_max) return {};
  return {path + ": " + std::to_string(count) + " lines; which second responsibility moved in?"};
}

Complaints first_line_is_a_comment(const std::string& path, const std::string& text) {
  if (text.starts_with("// ")) return {};
  return {path + ": does not begin with a comment that says what it is"};
}

// Lua errors may be C++ exceptions of a type of its own: a catch of everything would swallow them.
Complaints lua_borders_do_not_catch_everything(const std::string& path, const std::string& text) {
  static const std::regex k_catch_all(R"(catch\s*\(\s*\.\.\.\s*\))");
  if (!starts_with_any(path, {"bindings/lua/", "bindings/api/"})) return {};
  return lines_that_match(path, text, k_catch_all, "catches everything, errors of Lua too", false);
}

Complaints nothing_is_left_for_later(const std::string& path, const std::string& text) {
  static const std::regex k_leftover(R"(\b(TODO|FIXME|XXX|HACK)\b)");
  return lines_that_match(path, text, k_leftover, "is left for later: do it, or file it", true);
}

// ---- the sources

Complaints complaints_of_house(Rule rule) {
  namespace fs = std::filesystem;
  static const std::set<std::string> k_sources = {".hpp", ".h", ".cpp", ".c"};
  Complaints all;
  size_t seen = 0;
  for (const char* top : {"runtime", "bindings"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(PERILUNE_SOURCE_DIR) / top)) {
      if (!entry.is_regular_file() || !k_sources.contains(entry.path().extension().string())) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      const auto complaints = rule(fs::relative(entry.path(), PERILUNE_SOURCE_DIR).generic_string(), text.str());
      all.insert(all.end(), complaints.begin(), complaints.end());
      seen++;
    }
  }
  REQUIRE(seen > 20);  // else the walk has lost its way, and silence means nothing
  std::sort(all.begin(), all.end());
  return all;
}

std::string include_line(const std::string& target) { return "// What.\n#include \"" + target + "\"\n"; }

}  // namespace

TEST_CASE("a room includes only the rooms that lie below it", "[house]") {
  CHECK(complaints_of_house(rooms_see_only_what_lies_below) == Complaints{});

  const auto rule = rooms_see_only_what_lies_below;
  CHECK(rule("runtime/loop/a.cpp", include_line("runtime/base/error.hpp")).empty());
  CHECK(rule("runtime/flow/a.cpp", include_line("runtime/store/store.hpp")).empty());
  CHECK(rule("runtime/engine/a.cpp", include_line("runtime/hooks/points.hpp")).empty());
  CHECK(rule("bindings/api/a.cpp", include_line("bindings/lua/codec.hpp")).empty());

  CHECK(rule("runtime/base/a.cpp", include_line("runtime/loop/loop.hpp")) ==
        Complaints{"runtime/base/a.cpp:2: runtime/base/ may not include runtime/loop/loop.hpp"});
  CHECK(rule("runtime/store/a.cpp", include_line("runtime/task/task.hpp")).size() == 1);
  CHECK(rule("runtime/flow/a.cpp", include_line("runtime/store/sqlite_store.hpp")).size() == 1);
  CHECK(rule("runtime/flow/a.cpp", include_line("runtime/engine/run.hpp")).size() == 1);
  CHECK(rule("runtime/engine/a.cpp", include_line("bindings/lua/state.hpp")).size() == 1);
  CHECK(rule("bindings/lua/a.cpp", include_line("bindings/api/step.hpp")).size() == 1);
  CHECK(rule("runtime/flow/a.cpp", "#  include <runtime/engine/run.hpp>").size() == 1);
  CHECK(rule("runtime/flow/a.cpp", include_line("step.hpp")).size() == 1);
  CHECK(rule("runtime/flow/a.cpp", include_line("runtime/effects/file.cpp")).size() == 1);
  CHECK(rule("runtime/attic/a.cpp", "").size() == 1);
  CHECK(rule("runtime/a.cpp", "").size() == 1);
}

TEST_CASE("a foreign library is included behind its border and nowhere else", "[house]") {
  CHECK(complaints_of_house(foreign_headers_stay_behind_their_border) == Complaints{});

  const auto rule = foreign_headers_stay_behind_their_border;
  CHECK(rule("bindings/lua/state.hpp", "#include <lua.h>").empty());
  CHECK(rule("runtime/effects/process.cpp", "#include <uv.h>").empty());
  CHECK(rule("runtime/store/sqlite_connection.cpp", "#include <sqlite3.h>").empty());
  CHECK(rule("runtime/base/error.cpp", "#include <nlohmann/json.hpp>").empty());

  CHECK(rule("runtime/flow/step.cpp", "#include <lua.h>") ==
        Complaints{"runtime/flow/step.cpp:1: lua.h may not be included here"});
  CHECK(rule("bindings/cli/repl.cpp", "#include <lauxlib.h>").size() == 1);
  CHECK(rule("bindings/lua/state.cpp", "#include <uv.h>").size() == 1);
  CHECK(rule("runtime/store/sqlite_reader.cpp", "#include <sqlite3.h>").size() == 1);
  CHECK(rule("runtime/effects/process.cpp", "#include <curl/curl.h>").size() == 1);
  CHECK(rule("runtime/base/error.hpp", "#include <nlohmann/json.hpp>").size() == 1);
}

TEST_CASE("no source file outgrows one responsibility", "[house]") {
  CHECK(complaints_of_house(files_stay_short) == Complaints{});

  std::string text;
  for (size_t i = 0; i < k_lines_max; i++) text += "\n";
  CHECK(files_stay_short("a.cpp", text).empty());
  CHECK(files_stay_short("a.cpp", text + "\n").size() == 1);
}

TEST_CASE("a source file begins by saying what it is", "[house]") {
  CHECK(complaints_of_house(first_line_is_a_comment) == Complaints{});

  CHECK(first_line_is_a_comment("a.hpp", "// What it is.\n#pragma once\n").empty());
  CHECK(first_line_is_a_comment("a.hpp", "#pragma once\n// What it is.\n").size() == 1);
  CHECK(first_line_is_a_comment("a.hpp", "").size() == 1);
}

TEST_CASE("code at the border of Lua never catches everything", "[house]") {
  CHECK(complaints_of_house(lua_borders_do_not_catch_everything) == Complaints{});

  const auto rule = lua_borders_do_not_catch_everything;
  CHECK(rule("bindings/lua/a.cpp", "} catch ( ... ) {").size() == 1);
  CHECK(rule("bindings/api/a.cpp", "} catch (...) {  // for safety").size() == 1);
  CHECK(rule("bindings/api/a.cpp", "// never catch (...) here").empty());
  CHECK(rule("bindings/api/a.cpp", "} catch (const std::bad_alloc&) {").empty());
  CHECK(rule("bindings/cli/a.cpp", "} catch (...) {").empty());
}

TEST_CASE("no source file leaves something for later", "[house]") {
  CHECK(complaints_of_house(nothing_is_left_for_later) == Complaints{});

  CHECK(nothing_is_left_for_later("a.cpp", "int a;  // TODO: name it\n") ==
        Complaints{"a.cpp:1: is left for later: do it, or file it"});
  CHECK(nothing_is_left_for_later("a.cpp", "// FIXME").size() == 1);
  CHECK(nothing_is_left_for_later("a.cpp", "int todo_count;  // HACKS and mastodons").empty());
}
