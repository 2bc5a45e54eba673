// One life after another of a run in virtual time: the real engine and scripts on the simulated loop and the memory store,
// which dies at a chosen record. What the script saw and did is kept per life.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "runtime/store/memory_store.hpp"

namespace perilune::sim {

struct Life {
  std::map<int64_t, std::string> trail;   // note(place, text): a loop that is put back passes places by
  std::vector<std::string> effects;    // effect(...)
  size_t state_changes = 0;            // records of the run's state
  bool ended = false;                  // the run was over (else the life was cut)
  flow::Ending ending;
};

class World {
 public:
  // `directory`: where the script's modules are, if it has any.
  explicit World(std::string script, task::Rules rules = {}, std::string directory = {})
      : script_(std::move(script)), rules_(rules), directory_(std::move(directory)) {}

  // Lives until the run is over, or until `records` more records are committed. `seed` decides how long things take, and
  // when the life begins unless `begin_us` says it.
  Life live(uint64_t seed, uint64_t records, int64_t begin_us = 0);
  // How often a loop was saved, in all lives.
  int snapshots() const { return *snapshots_; }
  // The journal as it is on disk.
  std::vector<journal::Record> journal();
  // The finished journal without its end, replayed by a fresh engine: nothing may be started, the same must be seen.
  Life replay_finished();
  // The journal as it is, replayed against a script in which the step `name` is called otherwise: must end as diverged,
  // with no effect at all.
  Life replay_renamed(const std::string& name);

 private:
  Life replay_copy(std::vector<journal::Record> records, const std::string& script);
  std::string script_;
  task::Rules rules_;
  std::string directory_;
  std::shared_ptr<store::MemoryDisk> disk_ = store::make_memory_disk();
  std::shared_ptr<int> snapshots_ = std::make_shared<int>(0);
  bool begun_ = false;
};

}  // namespace perilune::sim
