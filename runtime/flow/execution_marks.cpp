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
  const Record* opened = cursor_.find(trail, opening);
  const Record* other = trail.outcome != 0 ? &cursor_.at(trail.outcome) : nullptr;
  if (opened == nullptr && other == nullptr && trail.first != 0) other = &cursor_.at(trail.first);
  if (other != nullptr && !op.accepts(other->kind) && other->kind != Kind::op_cancelled) {
    diverge(mismatch(*other, op));
    return false;
  }
  if (opened == nullptr) {
    note(op.remark(opening, {}), false);
    return true;
  }
  if (opened->name == op.name() && opened->fingerprint == op.fingerprint()) return true;
  diverge(mismatch(*opened, op));
  return false;
}

uint64_t Execution::position() const {
  return replaying_ && cursor_.replaying() ? cursor_.next().seq - 1 : last_seq_;
}

bool Execution::alone(const Task& task) {
  size_t line = 1;   // the task and those that wait for it
  for (const Task* at = &task;; ++line) {
    if (at->cancel_reason != nullptr) return false;
    Task* above = at->scope->owner();
    if (above == nullptr || above == at || above->state == Task::State::ended) break;
    if (above->awaiting != nullptr) {
      std::vector<Task*> needed = above->awaiting->waits_for();
      if (std::find(needed.begin(), needed.end(), at) == needed.end()) return false;
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
