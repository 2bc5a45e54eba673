// Pinned code: a run keeps the script and the modules that it started with.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;

namespace {

// A directory of its own, removed at the end.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "perilune-pinned-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name) << text;
  }
  void remove(const std::string& name) const { std::filesystem::remove(path_ + "/" + name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a run keeps the script it started with", "[engine][pinned]") {
  Lab lab("step('a', function() end) step('b', function() effect('old b') end) return 'old'");
  CHECK_FALSE(lab.live(2).ended);
  lab.script = "return 'new'";
  CHECK(result(lab.live()) == "\"old\"");
  CHECK(lab.ledger() == std::vector<std::string>{"old b", "old b"});
}

TEST_CASE("modules that the script requires at its top are pinned too", "[engine][pinned]") {
  Directory directory;
  directory.write("lib/tax.lua", "return { rate = 'old' }");
  Lab lab("local tax = require('lib.tax') step('a', function() end) step('b', function() end) return tax.rate");
  lab.directory = directory.path();
  CHECK_FALSE(lab.live(2).ended);
  directory.write("lib/tax.lua", "return { rate = 'new' }");
  CHECK(result(lab.live()) == "\"old\"");
}

TEST_CASE("a module that is first required later joins the run by a record", "[engine][pinned]") {
  Directory directory;
  directory.write("late.lua", "return { value = 'old' }");
  Lab lab(
      "step('a', function() end) local late = require('late') step('b', function() end) step('c', function() end) "
      "return late.value");
  lab.directory = directory.path();
  CHECK_FALSE(lab.live(4).ended);  // run_started, a, module_added, b
  CHECK(lab.recorded({journal::Kind::module_added}) == std::vector<std::string>{"module_added late"});
  directory.remove("late.lua");
  CHECK(result(lab.live()) == "\"old\"");
  CHECK(lab.recorded({journal::Kind::module_added}).size() == 1);
}

TEST_CASE("new runs of one engine get the modules as they are on disk then", "[engine][pinned]") {
  Directory directory;
  directory.write("tax.lua", "return 'old'");
  engine::Place place({});
  std::vector<std::string> outputs;
  for (const char* id : {"r-1", "r-2"}) {
    engine::StartRequest request;
    request.file = "flow.lua";
    request.text = "return require('tax')";
    request.directory = directory.path();
    request.id = id;
    place.engine().start(
        request, [](Result<store::RunRow>) {},
        [&](const store::RunRow&, const flow::Ending& ending) { outputs.push_back(ending.output); });
    place.loop().run();
    directory.write("tax.lua", "return 'new'");
  }
  CHECK(outputs == std::vector<std::string>{"\"old\"", "\"new\""});
}

TEST_CASE("a module that is not there is an error that says where it was looked for", "[engine][pinned]") {
  Directory directory;
  Lab lab("step('a', function() end) require('lib.none')");
  lab.directory = directory.path();
  Life life = lab.live();
  CHECK_THAT(result(life), Contains("lib.none") && Contains(directory.path() + "/lib/none.lua"));
  Lab outside("require('../secret')");
  outside.directory = directory.path();
  CHECK_THAT(result(outside.live()), Contains("no module name"));
}

TEST_CASE("a module may await while it loads, and a cycle is named", "[engine][pinned]") {
  Directory directory;
  directory.write("slow.lua", "sleep(1) return { n = step('in module', function() return 3 end) }");
  directory.write("a.lua", "return require('b')");
  directory.write("b.lua", "return require('a')");
  Lab lab("step('first', function() end) return { require('slow').n, require('slow').n }");
  lab.directory = directory.path();
  CHECK(result(lab.live()) == "[3,3]");
  Lab cycle("step('first', function() end) require('a')");
  cycle.directory = directory.path();
  CHECK_THAT(result(cycle.live()), Contains("a -> b -> a"));
}

TEST_CASE("an error in a module names the module's file and line", "[engine][pinned]") {
  Directory directory;
  directory.write("lib/broken.lua", "local x = 1\nreturn { f = function() error('inside') end }");
  Lab lab("local m = require('lib.broken') step('a', function() end) m.f()");
  lab.directory = directory.path();
  Life life = lab.live();
  CHECK_THAT(life.error.message, Contains("lib/broken.lua:2: inside"));
  CHECK_THAT(life.error.traceback, Contains("lib/broken.lua:2") && Contains("flow.lua:1"));
}
