// Patterns of file names.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/effects/file_bench.hpp"

using namespace perilune;
using namespace perilune::effects;

namespace {

// a.lua b.lua c.txt .hidden.lua  src/{m.lua,x[1].lua} src/deep/{n.lua,er/o.lua}  src/.git/p.lua  loop -> .
struct GlobBench : FileBench {
  GlobBench() {
    for (const char* directory : {"src/deep/er", "src/.git"}) REQUIRE(make_directory(path(directory)).ok());
    for (const char* file : {"a.lua", "b.lua", "c.txt", ".hidden.lua", "src/m.lua", "src/x[1].lua", "src/deep/n.lua",
                             "src/deep/er/o.lua", "src/.git/p.lua"}) {
      REQUIRE(append_file(path(file), "").ok());
    }
    REQUIRE(symlink(".", path("loop").c_str()) == 0);
  }

  // What `pattern` finds below the root, without the root.
  std::vector<std::string> find(const std::string& pattern) {
    auto found = glob_files(path(pattern));
    REQUIRE(found.ok());
    for (std::string& name : *found) {
      REQUIRE(name.starts_with(root() + "/"));
      name.erase(0, root().size() + 1);
    }
    return *found;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("glob: stars, question marks and sets match within a name") {
  GlobBench bench;
  CHECK(bench.find("*.lua") == Names{"a.lua", "b.lua"});
  CHECK(bench.find("?.lua") == Names{"a.lua", "b.lua"});
  CHECK(bench.find("[b-c].*") == Names{"b.lua", "c.txt"});
  CHECK(bench.find("[!b].lua") == Names{"a.lua"});
  CHECK(bench.find("*/m.lua") == Names{"src/m.lua"});
  CHECK(bench.find("src/*/*.lua") == Names{"src/deep/n.lua"});
  CHECK(bench.find("*.none") == Names{});
}

TEST_CASE("glob: two stars match any depth, none among them, and do not follow links") {
  GlobBench bench;
  CHECK(bench.find("**/*.lua") ==
        Names{"a.lua", "b.lua", "src/deep/er/o.lua", "src/deep/n.lua", "src/m.lua", "src/x[1].lua"});
  CHECK(bench.find("src/**/o.lua") == Names{"src/deep/er/o.lua"});
  CHECK(bench.find("src/**/m.lua") == Names{"src/m.lua"});
  CHECK(bench.find("**/deep/**/*.lua") == Names{"src/deep/er/o.lua", "src/deep/n.lua"});
  CHECK(bench.find("**/**/n.lua") == Names{"src/deep/n.lua"});
}

TEST_CASE("glob: two stars at the end match everything below") {
  GlobBench bench;
  CHECK(bench.find("src/deep/**") == Names{"src/deep/er", "src/deep/er/o.lua", "src/deep/n.lua"});
}

TEST_CASE("glob: hidden names are matched by a dot only") {
  GlobBench bench;
  CHECK(bench.find(".*.lua") == Names{".hidden.lua"});
  CHECK(bench.find("src/.git/*.lua") == Names{"src/.git/p.lua"});
  CHECK(bench.find("src/.*/*.lua") == Names{"src/.git/p.lua"});
}

TEST_CASE("glob: names without magic are found as they are, and a backslash takes the magic away") {
  GlobBench bench;
  CHECK(bench.find("a.lua") == Names{"a.lua"});
  CHECK(bench.find("src/absent") == Names{});
  CHECK(bench.find("loop/a.lua") == Names{"loop/a.lua"});
  CHECK(bench.find("src/x\\[1\\].lua") == Names{"src/x[1].lua"});
  CHECK(bench.find("absent/**/*.lua") == Names{});
}

TEST_CASE("glob: a slash at the end asks for directories") {
  GlobBench bench;
  CHECK(bench.find("*/") == Names{"loop/", "src/"});
  CHECK(bench.find("src/*/") == Names{"src/deep/"});
}

TEST_CASE("glob: relative patterns give relative paths, an empty one nothing") {
  GlobBench bench;
  char before[4096];
  REQUIRE(getcwd(before, sizeof before) != nullptr);
  REQUIRE(chdir(bench.root().c_str()) == 0);
  auto plain = glob_files("*.lua");
  auto deep = glob_files("**/o.lua");
  auto here = glob_files("./*.txt");
  REQUIRE(chdir(before) == 0);
  CHECK(*plain == Names{"a.lua", "b.lua"});
  CHECK(*deep == Names{"src/deep/er/o.lua"});
  CHECK(*here == Names{"./c.txt"});
  CHECK(glob_files("")->empty());
  CHECK(glob_files(std::string("a\0b", 3)).error().code == code::k_usage);
}
