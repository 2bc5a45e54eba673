// An operator's rollback to a checkpoint: a life of the run in which the script is only replayed, up to where the rollback
// was asked for, so that its compensations are there again; then those that are newer than the checkpoint run, and the
// journal is taken back to it. A crash in between goes on with what is not undone yet.
//
//   ... checkpoint ... operator_act rollback | compensation_done of task "rollback.N" ... | rollback {keep} | next life
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "runtime/flow/rollback_scope.hpp"
#include "runtime/flow/root_scope.hpp"
#include "runtime/flow/saga.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;
using task::Task;

namespace {

void gather(const task::Scope& scope, Saga& all) {
  for (auto& child : scope.children()) {
    if (Saga* saga = Saga::find(*child)) all.join(*saga);
    if (auto* inner = dynamic_cast<const task::Scope*>(child->awaiting)) gather(*inner, all);
    if (child->spawned != nullptr) gather(*child->spawned, all);
  }
}

}  // namespace

void Execution::keep_for_rollback(Saga& saga) {
  if (rolling_) Saga::of(*remains_).join(saga);
}

bool Execution::rollback_is_next() const {
  return rolling_ && rollback_ == nullptr && !over_ && !stopped_ &&
         (!cursor_.replaying() || cursor_.next().seq > rolling_->since);
}

void Execution::begin_rollback() {
  parked_.clear();   // nothing of the script is started any more
  waiting_.clear();
  rollback_ = std::make_unique<RollbackScope>(*this);
  if (undoing_ > 0) return give_up_rollback();
  const CheckpointMark* mark = checkpoint_mark(rolling_->name);
  if (mark == nullptr) return diverge("the script did not come to the checkpoint '" + rolling_->name + "' again");
  gather(*root_, Saga::of(*remains_));
  if (const Task* main = root_->owner(); main != nullptr && main->view != nullptr) remains_->view = main->view->branch();
  Task maker;   // gives the name: each rollback has operations of its own
  maker.id = "rollback";
  maker.child_count = static_cast<uint32_t>(rolling_->since) - 1;
  undo_all(*this, maker, *remains_, *rollback_, mark->undo_order);
}

void Execution::end_rollback() {
  Record record;
  record.kind = Kind::rollback;
  record.name = rolling_->name;
  journal::Rewind rewind{rolling_->checkpoint, {}, 0, generation_ + 1, true};
  record.data = "{\"by\":" + nlohmann::json(rolling_->by).dump() + "," + journal::rewind_members(rewind) + "}";
  append(std::move(record), nullptr, {}, false);
  Ending ending;
  ending.status = store::Status::running;
  ending.again = true;
  end_life(std::move(ending));
}

// The script itself was in the middle of undoing: what that has begun cannot be told from what is still to be done.
void Execution::give_up_rollback() {
  Record record;
  record.kind = Kind::rollback;
  record.name = rolling_->name;
  record.data = "{\"by\":" + nlohmann::json(rolling_->by).dump() + ",\"given_up\":true}";
  append(std::move(record), nullptr, {}, false);
  pause(Error(code::k_conflict, "the run was undoing steps when it stopped, so it was not rolled back to '" +
                                    rolling_->name + "': resume it, and it ends what it began"));
}

}  // namespace perilune::flow
