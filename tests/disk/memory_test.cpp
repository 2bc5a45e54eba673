// No memory: the n-th block that Lua, or SQLite, asks for is refused, once or from then on. Nothing crashes; a run comes
// through or ends with a clear error, a store refuses what it can't do, and what was answered stands.
//
// PERILUNE_MEMORY_POINTS=N looks at every N-th block only (5; 1 = all), PERILUNE_SEED is the seed of the rest.
// SPDX-License-Identifier: MIT
#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <set>

#include "runtime/journal/gaps.hpp"
#include "tests/disk/disk_fixture.hpp"
#include "tests/disk/inline_store.hpp"
#include "tests/disk/workflows.hpp"
#include "tests/disk/workload.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using namespace perilune::disk;
using engine::Lab;
using engine::Life;

namespace {

// Which blocks are refused. Counts only while it is asked to.
struct Refusals {
  bool counting = false;
  uint64_t asked = 0, from = 0, to = 0;
  bool refuses() { return counting && ++asked >= from && asked <= to; }
  void begin(uint64_t first, uint64_t last) {
    *this = {true, 0, first, last};
  }
  void end() { counting = false; }
};

Refusals lua_blocks, sqlite_blocks;
sqlite3_mem_methods sqlite_memory;

constexpr uint64_t k_never = ~uint64_t{0};

// SQLite on memory that can be refused, while it lives. No connection may be open when it begins or ends.
class ScarceSqlite {
 public:
  ScarceSqlite() {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    sqlite3_mem_methods scarce = sqlite_memory;
    scarce.xMalloc = [](int size) { return sqlite_blocks.refuses() ? nullptr : sqlite_memory.xMalloc(size); };
    scarce.xRealloc = [](void* block, int size) {
      return sqlite_blocks.refuses() ? nullptr : sqlite_memory.xRealloc(block, size);
    };
    sqlite3_config(SQLITE_CONFIG_MALLOC, &scarce);
    sqlite3_initialize();
  }
  ~ScarceSqlite() {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_MALLOC, &sqlite_memory);
    sqlite3_initialize();
  }
};

// What is wrong when this workflow's Lua is refused these blocks, or nothing.
std::string refused(const Workflow& workflow, uint64_t from, uint64_t to, const std::string& expected) {
  Lab lab(workflow.script);
  lab.workflow = std::string(workflow.name) == "child" ? "parent" : "";
  lua_blocks.begin(from, to);
  Life life = lab.live();
  lua_blocks.end();
  std::string text = engine::result(life);
  bool out_of_memory = life.error.code == code::k_memory;
  if (life.ended && text != expected && !out_of_memory && life.error.code != "child_failed") return "it ended as " + text;
  if (life.refused && !out_of_memory) return "it was refused: " + text;
  std::vector<journal::Record> journal = lab.journal();
  if (!journal.empty() && !journal::is_whole(journal)) return "its journal is not whole";
  if (life.ended) return "";
  std::set<std::string> done;
  for (const journal::Record& record : journal)
    if (record.kind == journal::Kind::step_done) done.insert(record.name);
  life = lab.live();
  if (engine::result(life) != expected) return "resumed with memory, it ended as " + engine::result(life);
  for (const std::string& effect : life.effects)
    if (done.count(effect) != 0) return "step '" + effect + "' was recorded and has run again";
  return "";
}

// What is wrong when SQLite is refused these blocks in a short life of a store, or nothing. `asked`: how many there were.
std::string store_refused(uint64_t seed, uint64_t from, uint64_t to, const std::string& path, uint64_t& asked) {
  Disk disk(seed);
  Workload workload(seed, false);
  sqlite_blocks.begin(from, to);
  for (int opening = 0; opening < 2; ++opening) {
    loop::SimLoop loop;
    Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop);
    if (!store.ok()) {
      if (store.error().code == code::k_damaged) return "want of memory counts as damage: " + one_line(store.error());
      continue;
    }
    (*store)->checkpoint_every = 4;
    for (int batches = 0; batches < 6; ++batches) {
      if (workload.batch(**store, loop)) continue;
      sqlite_blocks.counting = false;
      std::string wrong = workload.compare(contents(*(*store)->reader()));
      sqlite_blocks.counting = true;
      if (!wrong.empty()) return wrong;
    }
    (*store)->close();
  }
  sqlite_blocks.end();
  asked = sqlite_blocks.asked;
  loop::SimLoop loop;
  Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop);
  if (!store.ok()) return "with memory it does not open: " + one_line(store.error());
  std::string wrong = integrity(path);
  if (wrong.empty()) wrong = workload.compare(contents(*(*store)->reader()));
  if (wrong.empty() && !workload.batch(**store, loop)) wrong = "it does not go on: " + workload.last_error();
  (*store)->close();
  return wrong;
}

}  // namespace

// The linker sends what Perilune asks of realloc (for Lua, and for nothing else) here.
extern "C" void* __real_realloc(void* block, size_t size);
extern "C" void* __wrap_realloc(void* block, size_t size) {
  return size > 0 && lua_blocks.refuses() ? nullptr : __real_realloc(block, size);
}

TEST_CASE("whatever block Lua is refused, a run comes through or ends with a clear error, and its journal stands", "[disk][memory]") {
  uint64_t every = setting("PERILUNE_MEMORY_POINTS", 5), seed = setting("PERILUNE_SEED", 1);
  std::map<std::string, std::string> faults;   // each kind once, with where it was seen first
  for (const Workflow& workflow : workflows()) {
    lua_blocks.begin(k_never, k_never);
    Lab lab(workflow.script);
    lab.workflow = std::string(workflow.name) == "child" ? "parent" : "";
    std::string expected = engine::result(lab.live());
    lua_blocks.end();
    uint64_t blocks = lua_blocks.asked;
    REQUIRE(blocks > 200);
    for (uint64_t at = 1 + seed % every; at <= blocks; at += every) {
      for (uint64_t to : {at, at + 40, k_never}) {
        std::string wrong = refused(workflow, at, to, expected);
        if (!wrong.empty()) faults.emplace(wrong, std::string(workflow.name) + ", blocks " + std::to_string(at) + " to " + std::to_string(to));
      }
    }
  }
  for (const auto& [wrong, where] : faults) FAIL_CHECK("PERILUNE_SEED=" << seed << ", " << where << ": " << wrong);
}

TEST_CASE("whatever block SQLite is refused, the store refuses or comes through, and what it answered stands", "[disk][memory]") {
  uint64_t every = setting("PERILUNE_MEMORY_POINTS", 5), seed = setting("PERILUNE_SEED", 1);
  Standing standing;
  ScarceSqlite scarce;
  uint64_t blocks = 0;
  REQUIRE(store_refused(seed, k_never, k_never, standing.path(), blocks).empty());
  CHECK(blocks > 1000);
  for (uint64_t at = 1 + seed % every; at <= blocks; at += every) {
    for (uint64_t to : {at, at + 40, k_never}) {
      uint64_t ignored = 0;
      std::string wrong = store_refused(seed, at, to, standing.path(), ignored);
      if (!wrong.empty()) FAIL("PERILUNE_SEED=" << seed << ", blocks " << at << " to " << to << " of " << blocks << ": " << wrong);
    }
  }
}
