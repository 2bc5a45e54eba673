// What operators ask of a run, and who they are. Each act is recorded in the run's journal, with who and when; it is
// carried out by Engine::operate and Engine::fork. What is open for a run is in recovery.hpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace perilune::engine {

struct Order {
  enum class Act : uint8_t { pause, resume, retry, skip, rollback, abort };
  Act act = Act::resume;
  std::string by;                 // who: "ana@host"
  std::string result = "null";    // skip: JSON text, what the step gives
  std::string checkpoint;         // rollback
};

struct ForkOrder {
  std::string by;
  uint64_t at = 0;                // the last record that the new run shares; 0 = the newest possible
  std::string input;              // JSON text; empty = that of the run
  std::string id;                 // of the new run; empty = a new one
};

}  // namespace perilune::engine
