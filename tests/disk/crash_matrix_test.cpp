// The crash matrix: twelve workflows on the real engine and the real SQLite store, whose process dies before, in the middle
// of and after each call that changes the disk, one after the other. Then another process takes the run up; in half of the
// cases that one dies too, at a call of its own recovery. In the end the output is that of an undisturbed run, nothing that
// was acknowledged is gone, no step that was recorded has run again, and journal and database are whole. In every third
// case it is the machine that dies, with what was not synced.
//
// PERILUNE_DISK_POINTS=N looks at every N-th call only (11; 1 = all), PERILUNE_SEED is the seed of the rest.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/disk/disk_fixture.hpp"
#include "tests/disk/inline_store.hpp"
#include "tests/disk/workflows.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using namespace perilune::disk;
using engine::Place;
using journal::Kind;

namespace {

constexpr uint64_t k_commits_between_checkpoints = 6;
const char* const k_run = "run-1";

struct Point {
  uint64_t call = 0;             // of those that change the disk, from 1; 0 = none
  Verdict verdict = Verdict::off_before;
};

struct Lived {
  bool ended = false;
  std::string result;
  std::vector<std::string> effects;
  uint64_t acknowledged = 0;     // records of all runs
  uint64_t calls = 0;            // that changed the disk
};

// A run on a disk, with its lives.
class Patient {
 public:
  Patient(const Workflow& workflow, uint64_t seed) : workflow_(workflow), disk_(seed), random_(seed) {}

  Lived live(const Point& point);
  void die(bool machine) { machine ? disk_.power_loss(random_) : disk_.killed(); }
  // Names of the steps whose outcome is on the disk, and how many records there were. Complaints go to `wrong`.
  std::set<std::string> look(uint64_t& records, std::string& wrong);

 private:
  const Workflow& workflow_;
  Standing standing_;
  Disk disk_;
  Random random_;
  int64_t wall_us_ = 1'700'000'000'000'000;
};

std::string text_of(const flow::Ending& ending) {
  if (ending.status == store::Status::completed) return ending.output;
  std::string code = ending.error ? ending.error->code : "";
  return std::string(store::status_name(ending.status)) + " " + code;
}

Lived Patient::live(const Point& point) {
  Lived lived;
  disk_.judge = [&lived, point](const Event& event) {
    if (!changes(event.call) || (event.call == Call::open && event.bytes == 0)) return Verdict::pass;
    return ++lived.calls == point.call ? point.verdict : Verdict::pass;
  };
  bool opened = true;
  Place::Options options;
  options.wall_us = wall_us_;
  options.snapshot_due = [] { return true; };
  options.make_store = [&](loop::SimLoop& loop) -> std::unique_ptr<store::Store> {
    auto store = InlineStore::open(disk_, standing_.path(), loop);
    opened = store.ok();
    if (!opened) return store::make_memory_store();
    (*store)->checkpoint_every = k_commits_between_checkpoints;
    return std::move(*store);
  };
  Place place(std::move(options));
  if (opened) {
    auto started = [&](Result<store::RunRow> row) {
      if (!row.ok()) lived.result = "refused " + one_line(row.error());
    };
    auto ended = [&](const store::RunRow&, const flow::Ending& ending) {
      lived.ended = store::is_final(ending.status);
      lived.result = text_of(ending);
    };
    engine::StartRequest request;
    request.file = std::string(workflow_.name) + ".lua";
    request.text = workflow_.script;
    request.workflow = std::string(workflow_.name) == "child" ? "parent" : "";
    request.id = k_run;
    place.engine().start(std::move(request), started, ended);   // it stands already, after the first life: then it goes on
    if (!disk_.off()) place.loop().run();
  }
  lived.effects = place.effects();
  lived.acknowledged = place.committed_live();
  wall_us_ = place.loop().clock().wall_us();
  return lived;
}

std::set<std::string> Patient::look(uint64_t& records, std::string& wrong) {
  disk_.judge = {};
  std::set<std::string> steps;
  records = 0;
  loop::SimLoop loop;
  auto store = InlineStore::open(disk_, standing_.path(), loop);
  if (!store.ok()) return wrong = "it does not open: " + one_line(store.error()), steps;
  if (wrong.empty()) wrong = integrity(standing_.path());
  auto reader = (*store)->reader();
  auto rows = reader->list({});
  if (!rows.ok()) return wrong = one_line(rows.error()), steps;
  for (const store::RunRow& row : *rows) {
    auto journal = store::sound_records(row, reader->journal(row));
    if (!journal.ok()) return wrong = one_line(journal.error()), steps;
    records += row.last_seq;
    for (const journal::Record& record : *journal)
      if (record.kind == Kind::step_done) steps.insert(record.name);
  }
  return steps;
}

// What is wrong after these crashes, or nothing.
std::string crashed(const Workflow& workflow, const Point& first, const Point& second, bool machine, uint64_t seed,
                    const std::string& expected) {
  Patient patient(workflow, seed);
  std::string wrong;
  uint64_t acknowledged = 0;
  std::set<std::string> done;
  std::vector<std::string> only;
  for (const Point& point : {first, second, Point{}}) {
    Lived lived = patient.live(point);
    for (const std::string& effect : lived.effects) {
      if (done.count(effect) != 0) return "step '" + effect + "' was recorded and has run again";
      if (effect == "only") only.push_back(effect);
    }
    if (only.size() > 1) return "the once step ran twice";
    if (point.call == 0) {
      bool as_ever = lived.result == expected;
      bool known = workflow.second_outcome != nullptr && lived.result == std::string("failed ") + workflow.second_outcome;
      if (!lived.ended || (!as_ever && !known)) return "it ended as '" + lived.result + "', not as '" + expected + "'";
    }
    patient.die(machine);
    uint64_t records = 0;
    done = patient.look(records, wrong);
    if (!wrong.empty()) return wrong;
    acknowledged += lived.acknowledged;
    if (records < acknowledged)
      return std::to_string(acknowledged) + " records were acknowledged and " + std::to_string(records) + " are there";
    patient.die(false);
  }
  return "";
}

// The matrix of one workflow; the number of cases.
uint64_t matrix(const Workflow& workflow, uint64_t every, uint64_t seed) {
  Lived undisturbed = Patient(workflow, seed).live({});
  REQUIRE(undisturbed.ended);
  Random random(seed);
  uint64_t cases = 0;
  for (uint64_t call = 1 + random.below(every); call <= undisturbed.calls; call += every) {
    for (Verdict verdict : {Verdict::off_before, Verdict::off_torn, Verdict::off_after}) {
      Point second{random.below(2) == 0 ? 0 : 1 + random.below(40), Verdict::off_torn};
      bool machine = random.below(3) == 0;
      std::string wrong = crashed(workflow, {call, verdict}, second, machine, seed + call, undisturbed.result);
      if (!wrong.empty())
        FAIL("PERILUNE_SEED=" << seed << ", " << workflow.name << ", call " << call << ", verdict " << static_cast<int>(verdict)
                              << ", then call " << second.call << (machine ? ", the machine: " : ": ") << wrong);
      ++cases;
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("twelve workflows, cut before, in and after each change of the disk, and again in the recovery, end as ever", "[disk]") {
  uint64_t every = setting("PERILUNE_DISK_POINTS", 11), seed = setting("PERILUNE_SEED", 1);
  uint64_t cases = 0;
  for (const Workflow& workflow : workflows()) {
    INFO(workflow.name);
    cases += matrix(workflow, every, seed);
  }
  CHECK(cases > 0);
}
