// Faults of single calls: each call of the disk that a short life of a store makes fails in turn, once or from then on, as
// a full disk, an error or half a write. The store refuses with a clear error or comes through, loses nothing that it
// answered, and goes on as soon as the disk does. A failed sync ends the process with 74, and nothing is tried after it.
//
// PERILUNE_DISK_FAULTS=N looks at every N-th call only (7; 1 = all), PERILUNE_SEED is the seed of the life.
// SPDX-License-Identifier: MIT
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/disk/disk_fixture.hpp"
#include "tests/disk/inline_store.hpp"
#include "tests/disk/workload.hpp"

using namespace perilune;
using namespace perilune::disk;

namespace {

constexpr int k_batches = 12;
constexpr uint64_t k_commits_between_checkpoints = 5;

struct Fault {
  uint64_t from = 0, to = 0;       // numbers of calls
  Verdict verdict = Verdict::pass;
};

bool may_be(Call call, Verdict verdict) {
  bool writes = call == Call::write || call == Call::map || call == Call::open;
  if (verdict == Verdict::half) return call == Call::write;
  return verdict == Verdict::io_error || writes;
}

std::function<Verdict(const Event&)> judge_of(const Fault& fault) {
  return [fault](const Event& event) {
    bool hit = event.number >= fault.from && event.number <= fault.to && event.call != Call::sync;
    return hit && may_be(event.call, fault.verdict) ? fault.verdict : Verdict::pass;
  };
}

// A life with two openings, as far as the disk lets it. Batches that are refused are asked for no more.
std::string life(Disk& disk, Workload& workload, const std::string& path) {
  for (int opening = 0; opening < 2; ++opening) {
    loop::SimLoop loop;
    Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop);
    if (!store.ok()) {
      if (store.error().code == code::k_damaged) return "a fault counts as damage: " + one_line(store.error());
      continue;
    }
    (*store)->checkpoint_every = k_commits_between_checkpoints;
    for (int batches = 0; batches < k_batches; ++batches) {
      if (workload.batch(**store, loop)) continue;
      if (workload.last_error().find(path) == std::string::npos)
        return "the error does not name the file: " + workload.last_error();
      auto judge = std::exchange(disk.judge, {});   // looking is not under test here
      std::string wrong = workload.compare(contents(*(*store)->reader()));
      disk.judge = std::move(judge);
      if (!wrong.empty()) return "in the life of the fault, " + wrong;
    }
    (*store)->close();
  }
  return "";
}

std::string after(Disk& disk, Workload& workload, const std::string& path) {
  disk.judge = {};
  loop::SimLoop loop;
  Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop);
  if (!store.ok()) return "it does not open afterwards: " + one_line(store.error());
  if (std::string wrong = integrity(path); !wrong.empty()) return wrong;
  std::string wrong = workload.compare(contents(*(*store)->reader()));
  if (wrong.empty() && !workload.batch(**store, loop)) wrong = "it does not go on: " + workload.last_error();
  (*store)->close();
  return wrong;
}

std::string with_fault(uint64_t seed, const Fault& fault, const std::string& path) {
  Disk disk(seed);
  Workload workload(seed, false);
  disk.judge = judge_of(fault);
  std::string wrong = life(disk, workload, path);
  return wrong.empty() ? after(disk, workload, path) : wrong;
}

uint64_t calls_of_a_life(uint64_t seed, const std::string& path) {
  Disk disk(seed);
  Workload workload(seed, false);
  REQUIRE(life(disk, workload, path).empty());
  return disk.calls();
}

// What the parent sees of a process that ends at a failed sync.
struct Told {
  uint64_t batches;      // that were answered
  uint64_t after;        // writes and syncs after the failure
};

// The life of a process whose sync number `at` fails; it leaves the disk in a file at that moment.
[[noreturn]] void life_until_failed_sync(uint64_t seed, uint64_t at, const std::string& path, const std::string& left,
                                         Told& told) {
  if (freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
  Disk disk(seed);
  Workload workload(seed, false);
  bool failed = false;
  disk.judge = [&](const Event& event) {
    if (failed && (event.call == Call::sync || event.call == Call::write)) ++told.after;
    if (failed || event.call != Call::sync || disk.syncs() + 1 < at) return Verdict::pass;
    failed = true;
    std::ofstream(left, std::ios::binary) << disk.saved();
    return Verdict::io_error;
  };
  for (int opening = 0; opening < 2; ++opening) {
    loop::SimLoop loop;
    Result<std::unique_ptr<InlineStore>> store = InlineStore::open(disk, path, loop);
    if (!store.ok()) _exit(2);
    (*store)->checkpoint_every = k_commits_between_checkpoints;
    for (int batches = 0; batches < k_batches; ++batches)
      if (workload.batch(**store, loop)) ++told.batches;
    (*store)->close();
  }
  _exit(failed ? 3 : 0);
}

// Nothing; "over" when the life has no such sync.
std::string with_failed_sync(uint64_t seed, uint64_t at, Standing& standing) {
  std::string left = standing.path() + ".left";
  void* shared = mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& told = *new (shared) Told{};
  pid_t child = fork();
  if (child == 0) life_until_failed_sync(seed, at, standing.path(), left, told);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  Told seen = told;
  munmap(shared, sizeof(Told));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "over";
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 74) return "the process ended with the status " + std::to_string(status);
  // While the file is made SQLite takes it back at once, and syncs that; nobody has been answered anything by then.
  if (seen.after != 0 && seen.batches != 0) return "after the failure " + std::to_string(seen.after) + " writes or syncs were tried";

  std::ifstream file(left, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  Disk disk(seed);
  Workload workload(seed, false);   // as the process had it when it ended
  {
    Disk undisturbed(seed);
    loop::SimLoop loop;
    Result<std::unique_ptr<InlineStore>> store = InlineStore::open(undisturbed, standing.path(), loop);
    REQUIRE(store.ok());
    for (uint64_t batches = 0; batches < seen.batches; ++batches) REQUIRE(workload.batch(**store, loop));
    auto dead = [](const Event&) { return Verdict::off_before; };
    undisturbed.judge = dead;
    (void)workload.batch(**store, loop);   // the one that was under way
    (*store)->close();
  }
  disk.load(text);
  Random random(seed + at);
  disk.power_loss(random);   // the kernel may have dropped what it could not write
  return after(disk, workload, standing.path());
}

}  // namespace

TEST_CASE("whatever call of the disk fails, once or for a while, nothing that was answered is lost and the store goes on",
          "[disk]") {
  Standing standing;
  uint64_t seed = setting("PERILUNE_SEED", 1), every = setting("PERILUNE_DISK_FAULTS", 7);
  uint64_t calls = calls_of_a_life(seed, standing.path());
  CHECK(calls > 150);
  for (uint64_t at = 1 + seed % every; at <= calls; at += every) {
    for (Verdict verdict : {Verdict::no_space, Verdict::io_error, Verdict::half}) {
      for (uint64_t length : {uint64_t{1}, uint64_t{25}, calls * 2}) {
        std::string wrong = with_fault(seed, {at, at + length - 1, verdict}, standing.path());
        if (!wrong.empty())
          FAIL("PERILUNE_SEED=" << seed << ", calls " << at << " to " << at + length - 1 << ", verdict "
                                << static_cast<int>(verdict) << ": " << wrong);
      }
    }
  }
}

TEST_CASE("whichever sync fails, the process ends with 74, tries nothing more, and has lost nothing that it answered",
          "[disk]") {
  Standing standing;
  uint64_t seed = setting("PERILUNE_SEED", 1), every = setting("PERILUNE_DISK_FAULTS", 7);
  for (uint64_t at = 1;; at += every) {
    std::string wrong = with_failed_sync(seed, at, standing);
    if (wrong == "over") {
      CHECK(at > 20);
      break;
    }
    if (!wrong.empty()) FAIL("PERILUNE_SEED=" << seed << ", sync " << at << ": " << wrong);
  }
}
