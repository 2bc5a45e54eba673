// Waiting for writes to a database file. The limits are such that a wait that nobody ends would fail the test.
// SPDX-License-Identifier: MIT
#include "runtime/store/change_watch.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "tests/unit/store/store_fixture.hpp"

using namespace perilune::store;
using namespace perilune::store::test;
using Woken = ChangeWatch::Woken;

namespace {

constexpr int64_t k_hour_ms = 3'600'000;

void write_to(const std::string& path) { std::ofstream(path, std::ios::app) << "x"; }

// Looks that find nothing, until it would wait for the limit: it has none left.
void be_still(ChangeWatch& watch) {
  for (int looks = 0; looks < 5; ++looks) REQUIRE(watch.wait(false) == Woken::look);
}

}  // namespace

TEST_CASE("a write to the database or to its log ends the wait, and others do not make it look again", "[store]") {
  TemporaryDirectory directory;
  std::string path = directory.file("perilune.db");
  write_to(path);
  ChangeWatch watch(path, k_hour_ms);
  for (const char* name : {"perilune.db", "perilune.db-wal"}) {
    be_still(watch);
    write_to(directory.file(name));
    CHECK(watch.wait(false) == Woken::look);
  }
  be_still(watch);
  write_to(directory.file("other.db"));
  CHECK(watch.wait(false) == Woken::look);   // it is told, and goes on waiting for as long
  write_to(path);
  CHECK(watch.wait(false) == Woken::look);
}

TEST_CASE("a look that found something is followed by another one at once", "[store]") {
  TemporaryDirectory directory;
  ChangeWatch watch(directory.file("perilune.db"), k_hour_ms);
  be_still(watch);
  write_to(directory.file("perilune.db"));
  CHECK(watch.wait(false) == Woken::look);
  CHECK(watch.wait(true) == Woken::look);
}

TEST_CASE("without a word from the kernel the limit counts, also before the directory is there", "[store]") {
  TemporaryDirectory directory;
  ChangeWatch watch(directory.file("not/there/perilune.db"), 1);
  Woken woken = Woken::look;
  for (int waits = 0; waits < 10 && woken == Woken::look; ++waits) woken = watch.wait(false);
  CHECK(woken == Woken::limit);
  std::filesystem::create_directories(directory.file("not/there"));
  CHECK(watch.wait(false) != Woken::input);
}

TEST_CASE("input ends the wait too", "[store]") {
  TemporaryDirectory directory;
  ChangeWatch watch(directory.file("perilune.db"), k_hour_ms);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  be_still(watch);
  REQUIRE(write(ends[1], "q", 1) == 1);
  CHECK(watch.wait(false, ends[0]) == Woken::input);
  close(ends[0]), close(ends[1]);
}
