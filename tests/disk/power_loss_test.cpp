// Power losses: at a random call of the disk the machine dies. Of what was written and not synced since, anything may be
// there, in any order, torn or not. The store must open, hold all that it answered and nothing half, and go on; then it
// happens again, in the opening that follows too. Controls: a store that does not sync, one that answers before it has
// written, and a disk that lies about its syncs must be found.
//
// PERILUNE_DISK_SEEDS says how many seeds (300), PERILUNE_SEED the first.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/disk/disk_fixture.hpp"
#include "tests/disk/inline_store.hpp"
#include "tests/disk/workload.hpp"

using namespace perilune;
using namespace perilune::disk;

namespace {

struct Losses {
  Wrong wrong = Wrong::nothing;
  bool lying_disk = false;
};

// The lives of one store, by seed. What is wrong, or nothing.
std::string lives(uint64_t seed, const Losses& losses, const std::string& path) {
  Random random(seed);
  bool large = random.below(8) == 0;
  Disk disk(seed);
  disk.syncs_are_lies = losses.lying_disk;
  Workload workload(random.next(), large);
  uint64_t end = 0;
  disk.judge = [&](const Event& event) {
    if (event.number < end || !changes(event.call)) return Verdict::pass;
    constexpr Verdict k_ends[] = {Verdict::off_before, Verdict::off_after, Verdict::off_torn};
    return k_ends[random.below(3)];
  };
  for (uint64_t left = 1 + random.below(4); left > 0; --left) {
    end = disk.calls() + 1 + random.below(large ? 400 : 250);
    {
      loop::SimLoop loop;
      Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop, losses.wrong);
      if (!store.ok() && !disk.off()) return "it does not open: " + one_line(store.error());
      if (store.ok()) {
        (*store)->checkpoint_every = random.below(3) == 0 ? 1 + random.below(6) : 0;
        for (uint64_t batches = 1 + random.below(30); batches > 0 && !disk.off(); --batches)
          if (!workload.batch(**store, loop) && !disk.off()) return "it refuses a batch: " + workload.last_error();
        (*store)->close();
      }
    }
    if (random.below(8) == 0) disk.killed();   // the process only, before the machine
    else disk.power_loss(random);
    loop::SimLoop loop;
    end = ~uint64_t{0};
    std::string found = "no file";
    if (Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop); store.ok()) {
      found = contents(*(*store)->reader());
      if (std::string wrong = integrity(path); !wrong.empty()) return wrong;
      (*store)->close();
    } else {
      found = "it does not open: " + one_line(store.error());
    }
    if (std::string wrong = workload.compare(found); !wrong.empty()) return wrong;
  }
  return "";
}

uint64_t seeds_until_found(const Losses& losses) {
  Standing standing;
  for (uint64_t seed = 1; seed <= 200; ++seed)
    if (!lives(seed, losses, standing.path()).empty()) return seed;
  return 0;
}

}  // namespace

TEST_CASE("a power loss at any call of the disk leaves all that was answered and nothing half", "[disk]") {
  Standing standing;
  uint64_t first = setting("PERILUNE_SEED", 1), seeds = setting("PERILUNE_DISK_SEEDS", 300);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    std::string wrong = lives(seed, {}, standing.path());
    if (!wrong.empty()) FAIL("PERILUNE_SEED=" << seed << " PERILUNE_DISK_SEEDS=1: " << wrong);
  }
  SUCCEED();
}

TEST_CASE("control: a store that does not sync, or answers too early, or a disk that lies, is found by power losses", "[disk]") {
  CHECK(seeds_until_found({Wrong::no_sync, false}) > 0);
  CHECK(seeds_until_found({Wrong::answers_before, false}) > 0);
  CHECK(seeds_until_found({Wrong::nothing, true}) > 0);
}
