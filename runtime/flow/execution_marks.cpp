// What loops ask of the run: calls that stay open, and where the run stands between two iterations; see execution.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/flow/durable.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;
using task::Task;

bool Execution::open_call(Durable& op, Task& task, Kind opening) {
  op.task_ = &task;
  op.number_ = ++task.ops;
  journal::Trail::Op trail = cursor_.trail(task.id).op(op.number_);
  std::string wrong = mismatch(trail, op);
  if (!wrong.empty()) {
    diverge(wrong);
    return false;
  }
  if (trail.first == 0) note(op.remark(opening, {}), false);
  return true;
}

uint64_t Execution::position() const {
  return replaying_ && cursor_.replaying() ? cursor_.next().seq - 1 : last_seq_;
}

bool Execution::alone(const Task& task) {
  if (!watches_.empty()) return false;   // they look at the run after each record
  size_t line = 1;   // the task and those that wait for it
  for (const Task* at = &task;; ++line) {
    if (at->cancel_reason != nullptr) return false;
    Task* above = at->scope->owner();
    if (above == nullptr || above == at || above->state == Task::State::ended) break;
    if (above->awaiting != nullptr) {
      task::Waits waits = above->awaiting->waits_for();
      bool all = waits.needed == waits.tasks.size();
      if (!all || std::find(waits.tasks.begin(), waits.tasks.end(), at) == waits.tasks.end()) return false;
    } else if (above->state != Task::State::closing) {
      return false;
    }
    at = above;
  }
  return scheduler_.live() == line;
}

Marks Execution::marks() const {
  Marks marks{delivered_seq_, now_us_, running_us_, undo_order_, checkpoints_, inbox_, {}};
  for (const Tail& tail : tail_)
    if (carries_outcome(tail.record.kind) && is_settled(tail.record))
      marks.settled.push_back(tail.record.task + "#" + std::to_string(tail.record.op));
  return marks;
}

void Execution::restore(const Marks& marks) {
  cursor_.skip_to(marks.delivered_seq);
  delivered_seq_ = marks.delivered_seq;
  now_us_ = marks.now_us;
  undo_order_ = marks.undo_order;
  checkpoints_ = marks.checkpoints;
  inbox_ = marks.inbox;
  settled_.insert(marks.settled.begin(), marks.settled.end());
}

}  // namespace perilune::flow
