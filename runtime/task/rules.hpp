// The rules of order, each of which can be switched off. They are always on; the replay simulation switches off one at a
// time to show that it would find out (tests/sim).
// SPDX-License-Identifier: MIT
#pragma once

namespace perilune::task {

struct Rules {
  bool shortcut_next_only = true;      // a recorded outcome returns at once only if its record is the next one
  bool start_after_replay = true;      // nothing starts before the last recorded outcome is delivered
  bool cancel_by_record = true;        // a cancelled operation ends by a record
  bool ids_by_parent = true;           // a task's id comes from its parent, not from a count of all tasks
  bool one_record_then_drain = true;   // one record, then every ready task, then the next record
};

}  // namespace perilune::task
