// What loops ask of the run: calls that stay open, and where the run stands between two iterations; see execution.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/flow/durable.hpp"
#include "runtime/flow/root_scope.hpp"

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

// The task and those that wait for it, and at last the main task, which may have ended: what is left to the run joins it.
std::vector<Task*> Execution::line_of(Task& task) const {
  std::vector<Task*> line;
  Task* main = root_->owner();
  for (Task* at = &task; at != nullptr && at != main; at = at->scope->owner()) line.push_back(at);
  line.push_back(main);
  return line;
}

Marks Execution::marks(Task& task) const {
  Marks marks{delivered_seq_, now_us_, running_us_, undo_order_, checkpoints_, inbox_, {}, {}};
  bool any = false;
  for (const Task* at : line_of(task)) {
    StateView* view = StateView::find(*at);
    any = any || view != nullptr;
    marks.states.push_back(view == nullptr ? StateMap() : view->changes());
  }
  if (!any) marks.states.clear();   // nobody has used it; an empty state is another thing: what was known of it has gone
  for (const Tail& tail : tail_)
    if (carries_outcome(tail.record.kind) && is_settled(tail.record))
      marks.settled.push_back(tail.record.task + "#" + std::to_string(tail.record.op));
  return marks;
}

void Execution::restore(const Marks& marks, Task& task) {
  const std::vector<Task*> line = line_of(task);
  for (size_t i = 0; i < std::min(line.size(), marks.states.size()); ++i)
    if (!marks.states[i].empty() || line[i]->view != nullptr) StateView::of(*line[i]).set_changes(marks.states[i]);
  cursor_.skip_to(marks.delivered_seq);
  delivered_seq_ = marks.delivered_seq;
  now_us_ = marks.now_us;
  undo_order_ = marks.undo_order;
  checkpoints_ = marks.checkpoints;
  inbox_ = marks.inbox;
  settled_.insert(marks.settled.begin(), marks.settled.end());
}

}  // namespace perilune::flow
