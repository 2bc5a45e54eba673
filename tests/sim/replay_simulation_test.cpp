// Random programs, cut at random records, again and again, with other timings in each life. Whatever happens:
//  - what the script saw before a cut is the beginning of what it sees in the next life;
//  - no effect whose outcome is recorded runs again;
//  - a script that parts from the journal is told so, with no effect at all;
//  - the finished journal, replayed once more, gives the same trail and output and starts nothing.
// Each rule of order, switched off, must be found out. PERILUNE_SIM_SEEDS sets how many programs (300 by default),
// PERILUNE_SEED the first seed.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <set>

#include "tests/sim/program.hpp"
#include "tests/sim/world.hpp"

namespace perilune::sim {
namespace {

uint64_t setting(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

std::set<std::string> recorded_steps(World& world) {
  std::set<std::string> names;
  for (const journal::Record& record : world.journal())
    if (record.kind == journal::Kind::step_done || record.kind == journal::Kind::step_failed ||
        record.kind == journal::Kind::compensation_done)
      names.insert(record.name);
  return names;
}

using Trail = std::map<int64_t, std::string>;

// The first place at which both say something and differ, or 0.
int64_t differs(const Trail& one, const Trail& other) {
  for (const auto& [place, text] : one)
    if (auto found = other.find(place); found != other.end() && found->second != text) return place;
  return 0;
}

int64_t length(const Trail& trail) { return trail.empty() ? 0 : trail.rbegin()->first; }

// A recorded step whose call, under another name, must make the script part from its journal; or "".
std::string step_to_rename(const std::set<std::string>& steps) {
  for (const std::string& name : steps)   // compensations and what a loop has passed may be passed by
    if (name[0] != 'c' && name.rfind("undo ", 0) != 0 && name.find('@') == std::string::npos) return name;
  return {};
}

std::string check_changed(World& world) {
  std::string step = step_to_rename(recorded_steps(world));
  if (step.empty()) return {};
  Life changed = world.replay_renamed(step);
  if (!changed.ended || changed.ending.status != store::Status::diverged) return "a renamed step does not diverge";
  if (!changed.effects.empty()) return "a diverged run ran effect '" + changed.effects.front() + "'";
  return {};
}

std::string check_finished(World& world, const Life& life) {
  if (!life.ended) return "the run did not end";
  if (life.ending.status != store::Status::completed)
    return "ended as " + std::string(store::status_name(life.ending.status)) +
           (life.ending.error ? ": " + one_line(*life.ending.error) : "");
  Life again = world.replay_finished();
  if (!again.ended || again.ending.status != store::Status::completed)
    return "the finished journal does not replay" + (again.ending.error ? ": " + one_line(*again.ending.error) : "");
  if (!again.effects.empty()) return "replaying the finished journal ran effect '" + again.effects.front() + "'";
  if (again.state_changes != 0) return "the finished journal says something else of the state than its replay";
  if (differs(again.trail, life.trail) != 0 || again.ending.output != life.ending.output)
    return "replaying the finished journal gives another trail";
  return {};
}

int snapshots = 0, answers = 0;   // of all programs

// What is wrong with the program of this seed, or "".
std::string check_program(uint64_t seed, const task::Rules& rules) {
  World world(random_program(seed), rules);
  Random random(seed * 31 + 7);
  Trail before;
  Life life;
  std::set<std::string> recorded;
  for (int lives = 0; lives < 5; ++lives) {
    recorded.merge(recorded_steps(world));
    bool last = lives == 4;
    life = world.live(random.next(), last ? ~0ull : 1 + random.below(lives % 2 == 0 ? 12 : 40));
    for (const std::string& effect : life.effects)
      if (recorded.count(effect) != 0) return "effect '" + effect + "' ran again";
    if (int64_t place = differs(before, life.trail))
      return "the trail of life " + std::to_string(lives + 1) + " differs at " + std::to_string(place) + ": '" +
             before[place] + "', then '" + life.trail[place] + "'";
    if (life.ended && life.ending.error == nullptr && length(life.trail) < length(before)) return "the trail got shorter";
    before.insert(life.trail.begin(), life.trail.end());
    if (life.ended) break;
    if (lives > 0) continue;
    std::string wrong = check_changed(world);
    if (!wrong.empty()) return wrong;
  }
  snapshots += world.snapshots();
  for (const journal::Record& record : world.journal()) answers += record.kind == journal::Kind::ask_answered;
  return check_finished(world, life);
}

// The seed of the first program that goes wrong, or 0.
uint64_t find_wrong(const task::Rules& rules, uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed)
    if (!check_program(seed, rules).empty()) return seed;
  return 0;
}

}  // namespace

TEST_CASE("random programs cut at random records replay the same", "[simulation]") {
  uint64_t first = setting("PERILUNE_SEED", 1), seeds = setting("PERILUNE_SIM_SEEDS", 300);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    std::string wrong = check_program(seed, {});
    if (!wrong.empty()) FAIL("PERILUNE_SEED=" << seed << " PERILUNE_SIM_SEEDS=1: " << wrong << "\n" << random_program(seed));
  }
  if (seeds >= 100) CHECK(static_cast<uint64_t>(snapshots) > seeds / 10);   // else it proves nothing of loops
  if (seeds >= 100) CHECK(static_cast<uint64_t>(answers) > seeds / 10);     // nor of questions
}

TEST_CASE("each rule of order, switched off, is found out by the simulation", "[simulation]") {
  struct Control {
    const char* what;
    bool task::Rules::*rule;
  };
  const Control controls[] = {
      {"shortcut for any recorded outcome", &task::Rules::shortcut_next_only},
      {"starting before the replay has ended", &task::Rules::start_after_replay},
      {"cancellation without a record", &task::Rules::cancel_by_record},
      {"ids from a count of all tasks", &task::Rules::ids_by_parent},
      {"several records before the tasks run", &task::Rules::one_record_then_drain},
  };
  for (const Control& control : controls) {
    task::Rules rules;
    rules.*control.rule = false;
    INFO(control.what);
    CHECK(find_wrong(rules, 600) != 0);
  }
}

}  // namespace perilune::sim
