// The order of a run: delivery, replay and commit. execution.hpp holds the rules, execution_end.cpp the ends.
// SPDX-License-Identifier: MIT
#include "runtime/flow/execution.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"
#include "runtime/flow/due_timer.hpp"
#include "runtime/flow/lock.hpp"
#include "runtime/flow/loop.hpp"
#include "runtime/flow/rollback_scope.hpp"
#include "runtime/flow/root_scope.hpp"
#include "runtime/flow/saga.hpp"
#include "runtime/hooks/registry.hpp"
#include "runtime/flow/state_records.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;
using store::Status;

namespace {
constexpr int64_t k_lasting_us = 100'000;   // an attempt that lasts so long is noted as started; a note waits no longer
constexpr size_t k_drain_batch = 4096;   // tasks resumed between two looks at the delivery
}

Execution::Execution(Options options)
    : options_(std::move(options)), scheduler_(options_.seed, options_.rules), cursor_(std::move(options_.records)),
      locks_(std::make_unique<Locks>(*this)), root_(std::make_unique<RootScope>(*this)) {
  scheduler_.set_before_end([this](task::Task& task) {
    locks_->task_ended(task);
    settle_state(task);
    if (settle_output(task) || settle_saga(*this, task)) return true;
    hand_over_state(task);
    return false;
  });
  last_seq_ = committed_seq_ = options_.row.last_seq;
  replaying_ = cursor_.replaying() || options_.read_only;
  read_journal();
  shown_ = options_.row.status;
  shown_wake_us_ = options_.row.wake_us;
}

void Execution::read_journal() {
  if (!cursor_.records().empty()) now_us_ = cursor_.records().front().at_us;
  int64_t before_us = now_us_;
  for (const Record& record : cursor_.records()) {   // running time = the time that steps took, overlaps counted once
    int64_t started_us = journal::number_of(record.data, "started");
    if (started_us > 0 && record.kind != Kind::timer_fired && record.op != 0)
      running_us_ += std::max<int64_t>(0, record.at_us - std::max(started_us, before_us));
    before_us = std::max(before_us, record.at_us);
    running_us_ = std::max(running_us_, running_time_until(record));   // a loop's own records may be gone
    if (!record.task.empty()) replaying_ = true;   // calls are repeated, even if none of them has an outcome
    if (record.kind == Kind::hook_decision) has_decisions_ = true;
    if (record.kind == Kind::signal) signal_ids_.insert(signal_id_of(record));
    if (record.kind == Kind::operator_act || record.kind == Kind::rollback) read_operator(record);
    if (record.kind == Kind::state_changed || record.kind == Kind::loop_snapshot || record.kind == Kind::loop_done) read_state(record);
  }
  rolling_ = journal::open_rollback(cursor_.records());
  if (!rolling_) return;
  remains_ = std::make_unique<task::Task>();
  replaying_ = true;   // the script starts nothing
}

void Execution::read_operator(const Record& record) {
  if (record.name == "retry") retries_.push_back(record.seq);
  std::optional<journal::Rewind> rewind = journal::rewind_of(record);
  if (!rewind) return;
  running_us_ = 0;   // what comes has the whole timeout again
  generation_ = rewind->generation;
  if (rewind->undone) key_generation_ = rewind->generation;
}

// A slice is as old as the record that comes next: those before a retry see the attempt of then.
int Execution::attempt() const {
  uint64_t next = cursor_.replaying() ? cursor_.next().seq : std::numeric_limits<uint64_t>::max();
  return 1 + static_cast<int>(std::count_if(retries_.begin(), retries_.end(), [&](uint64_t seq) { return seq < next; }));
}

Execution::~Execution() {
  scheduler_.stop();
  rollback_.reset();
  remains_.reset();
  root_.reset();   // the operations of its tasks still use the rest
  options_.loop->stop_timer(timeout_timer_);
  options_.loop->stop_timer(lasting_timer_);
}

task::Scope& Execution::background() { return *root_; }

void Execution::start(std::unique_ptr<task::Coroutine> main) {
  scheduler_.spawn(nullptr, *root_, std::move(main));
  if (!replaying_) end_replay();
}

void Execution::turn() {
  unfinished_turn_ = false;
  while (!over_ && !stopped_) {
    if (scheduler_.drain(k_drain_batch) == k_drain_batch) {   // a busy run lets others have their turn
      unfinished_turn_ = true;
      break;
    }
    if (look_around()) continue;
    if (rollback_is_next()) {
      begin_rollback();
      continue;
    }
    if (deliver_next()) {
      while (!options_.rules.one_record_then_drain && deliver_next()) {
      }
      continue;
    }
    if (replaying_ && !cursor_.replaying() && !options_.read_only) {
      end_replay();
      continue;
    }
    break;
  }
  if (stopped_) return;
  look_for_deadlock();
  flush();
  watch_running_time();
  leave_when_stuck();
  if ((untold_ > 0 || (!pending_.empty() && !replaying_ && !over_)) && lasting_timer_ == 0)
    lasting_timer_ = loop().start_timer(k_lasting_us, [this] { tell_lasting(); });
}

// True: somebody has something to do now.
bool Execution::look_around() {
  if (looked_ || rollback_ != nullptr) return false;
  looked_ = true;
  if (watches_.empty()) return false;
  for (Watch* watch : std::vector<Watch*>(watches_))
    if (std::count(watches_.begin(), watches_.end(), watch) > 0) watch->look();
  return !scheduler_.idle();
}

void Execution::tell_lasting() {
  lasting_timer_ = 0;
  for (Durable* op : active_) {
    if (std::exchange(op->told_, true)) continue;
    op->lasting();
  }
  untold_ = 0;
  flush_wanted_ = flush_wanted_ || !pending_.empty();   // notes that found nothing to ride with
  options_.listener->ask_turn();
}

void Execution::hold(Durable& op) {
  op.active_index_ = active_.size();
  op.told_ = false;
  ++untold_;
  active_.push_back(&op);
}

void Execution::drop(Durable& op) {
  if (!op.told_) --untold_;
  active_[op.active_index_] = active_.back();
  active_[op.active_index_]->active_index_ = op.active_index_;
  active_.pop_back();
}

// Everything waits and nothing is under way that could wake anything: say so at once instead of waiting for ever.
void Execution::look_for_deadlock() {
  // Notes that are not handed over yet wake nobody.
  bool to_come = flush_wanted_ || in_flight_ != 0 || tail_.size() > pending_.size();
  if (over_ || deciding_ || replaying_ || rolling_ || !scheduler_.idle() || !active_.empty() || !sleeping_.empty() ||
      !receivers_.empty() || !questions_.empty() || !awaited_.empty() || to_come || root_->live() == 0)
    return;
  if (!tail_.empty()) {   // records that nobody awaits: commit them, then look again
    flush_wanted_ = !pending_.empty();
    return;
  }
  abort(Error(code::k_deadlock, "every task waits for another one and nothing can wake any of them: " + waits()));
}

namespace {
constexpr size_t k_waits_text_max = 600;

void describe_waits(const task::Scope& scope, std::string& text) {
  for (auto& child : scope.children()) {
    if (child->state == task::Task::State::waiting) {
      if (text.size() > k_waits_text_max) return;
      if (!text.empty()) text += "; ";
      text += "task " + child->id + " waits for " + child->awaiting->describe();
      if (auto* inner = dynamic_cast<const task::Scope*>(child->awaiting)) describe_waits(*inner, text);
    }
    if (child->spawned != nullptr) describe_waits(*child->spawned, text);
  }
}
}  // namespace

std::string Execution::waits() const {
  std::string text;
  describe_waits(*root_, text);
  return text;
}

bool Execution::deliver_next() {
  if (stopped_ || over_) return false;
  while (!taken_early_.empty() && cursor_.replaying() &&
         std::count(taken_early_.begin(), taken_early_.end(), cursor_.next().seq) > 0)
    cursor_.advance();
  if (cursor_.replaying() && !deciding_) {   // a run that was aborted is asked nothing more
    const Record& record = cursor_.next();
    if (is_settled(record)) {
      cursor_.advance();
      return true;
    }
    if (record.op == 0) {
      cursor_.advance();
      now_us_ = record.at_us;
      deliver_to_run(record);
      return true;
    }
    auto found = waiting_.find(record.task);
    if (found == waiting_.end() || found->second->number() != record.op) {
      diverge("record " + std::to_string(record.seq) + " (" + std::string(kind_name(record.kind)) + " '" + record.name +
              "' of task " + record.task + ") has no call in the script");
      return true;
    }
    Durable* op = found->second;
    waiting_.erase(found);
    cursor_.advance();
    deliver(record, op);
    return true;
  }
  if (replaying_ || tail_.empty() || tail_.front().record.seq > committed_seq_) return false;
  Tail next = std::move(tail_.front());
  tail_.pop_front();
  options_.listener->committed(next.record);
  if (options_.hooks != nullptr && !options_.hooks->empty()) tell_of(next.record, next.op);
  if (next.then) next.then();
  if (next.op != nullptr) deliver(next.record, next.op);
  else if (carries_outcome(next.record.kind) && next.record.op == 0) deliver_to_run(next.record);
  return true;
}

void Execution::deliver(const Record& record, Durable* op) {
  now_us_ = record.at_us;
  looked_ = false;
  delivered_seq_ = record.seq;
  op->state_ = Durable::State::over;
  scheduler_.wake(op->task(), op->delivered(record));
}

void Execution::deliver_to_run(const Record& record) {
  now_us_ = record.at_us;
  looked_ = false;
  delivered_seq_ = record.seq;
  if (rolling_ && record.seq > rolling_->since) {   // the script is over: whatever outlives the rollback comes then
  } else if (record.kind == Kind::signal) {
    deliver_signal(record);
  } else if (record.kind == Kind::cancel_requested) {
    auto reason = std::make_shared<const Error>(error_from_json_text(journal::error_of(record.data)));
    root_->cancel_children(scheduler_, reason);
  } else if (record.kind == Kind::run_done) {
    over_ = true;
    if (deciding_) ending_ = std::move(*deciding_);
    options_.listener->ended(ending_);
  }
}

void Execution::end_replay() {
  replaying_ = false;
  auto parked = std::move(parked_);
  parked_.clear();
  waiting_.clear();
  auto due_us = [this](Durable* op) {   // timers of earlier lives first, in their order: several may be overdue
    return DueTimer::recorded_due(cursor_, op->recorded()).value_or(std::numeric_limits<int64_t>::max());
  };
  std::stable_sort(parked.begin(), parked.end(), [&](Durable* a, Durable* b) { return due_us(a) < due_us(b); });
  for (Durable* op : parked)
    if (op->state_ == Durable::State::parked) op->start_now();
  if (!answers_.empty()) take_answers();
}

// The timeout counts running time: the timer stands still while only time or a signal can move the run.
void Execution::watch_running_time() {
  if (options_.timeout_us == 0 || replaying_ || over_ || rolling_) return;
  int64_t now_us = loop().clock().mono_us();
  if (waits_only() && timeout_timer_ != 0) {
    loop().stop_timer(std::exchange(timeout_timer_, 0));
    running_us_ += now_us - running_since_us_;
  } else if (!waits_only() && timeout_timer_ == 0) {
    running_since_us_ = now_us;
    timeout_timer_ = loop().start_timer(std::max<int64_t>(0, options_.timeout_us - running_us_), [this] {
      int64_t timeout_us = std::exchange(options_.timeout_us, 0);   // said once
      std::string text = "the workflow ran longer than its timeout of " + format_duration(timeout_us);
      request_cancel(Error(code::k_timeout, std::move(text)), "timeout");
    });
  }
}

bool Execution::begin(Durable& op, task::Task& task) {
  assert(task.journaled());
  if (task.cancelling()) {   // sticky: no further call begins, and none is counted
    task.outcome = task::Outcome::of_error(task.cancel_reason);
    return true;
  }
  op.task_ = &task;
  if (op.number_ == 0) op.number_ = ++task.ops;
  journal::Trail::Op trail = cursor_.trail(task.id).op(op.number_);
  std::string wrong = mismatch(trail, op);
  if (!wrong.empty()) {
    diverge(wrong);
    scheduler_.wait(task, op);
    return false;
  }
  if (!replaying_) {
    scheduler_.wait(task, op);
    op.start_now();
    return false;
  }
  op.state_ = Durable::State::parked;
  if (trail.outcome == 0) {
    scheduler_.wait(task, op);
    if (options_.rules.start_after_replay) parked_.push_back(&op);
    else op.start_now();
    return false;
  }
  const Record& record = cursor_.at(trail.outcome);
  op.has_record_ = true;
  if (shortcut(record)) {
    now_us_ = record.at_us;
    looked_ = false;
    delivered_seq_ = record.seq;
    op.state_ = Durable::State::over;
    task.outcome = op.delivered(record);
    return true;
  }
  waiting_[task.id] = &op;
  scheduler_.wait(task, op);
  return false;
}

// True: the recorded outcome may be given without a yield, since nothing could come in between: no other task, and nobody
// who would look at the run before the record is delivered.
bool Execution::shortcut(const Record& record) {
  if (!scheduler_.idle() || !watches_.empty() || !cursor_.replaying()) return false;
  if (&cursor_.next() == &record) {
    cursor_.advance();
    return true;
  }
  if (options_.rules.shortcut_next_only) return false;
  taken_early_.push_back(record.seq);
  return true;
}

void Execution::end_unrecorded(Durable& op) {
  forget(op);
  scheduler_.wake(op.task(), task::Outcome::of_error(op.cancel_cause()));
  ask_turn();
}

// How the call differs from what is recorded of it: its outcome, or else what was noted when it was under way.
std::string Execution::mismatch(journal::Trail::Op trail, const Durable& op) const {
  if (trail.outcome == 0 && trail.first == 0) return {};
  const Record& record = cursor_.at(trail.outcome != 0 ? trail.outcome : trail.first);
  bool kind_ok = trail.outcome == 0 ? op.notes(record.kind) : record.kind == Kind::op_cancelled || op.accepts(record.kind);
  if (kind_ok && record.name == op.name() && record.fingerprint == op.fingerprint()) return {};
  std::string where = op.task().coroutine->where();
  std::string text = "record " + std::to_string(record.seq) + " does not fit the script" +
                     (where.empty() ? "" : " at " + where) + ": expected " + std::string(kind_name(record.kind)) + " '" +
                     record.name + "', got " + op.call() + " '" + op.name() + "'";
  if (kind_ok && record.name == op.name()) text += " with other arguments";
  return text;
}

void Execution::record(Durable& op, Kind kind, std::string data, std::function<void()> then) {
  publish_state();   // what was set before the call stands before its outcome
  append(op.remark(kind, std::move(data)), &op, std::move(then), true);
}

void Execution::note(Record record, bool soon) { append(std::move(record), nullptr, {}, soon); }

void Execution::note_then(Record record, std::function<void()> then) {
  append(std::move(record), nullptr, std::move(then), true);
}

bool Execution::noted(const std::string& task, uint32_t op, Kind kind) const {
  return cursor_.find(cursor_.trail(task).op(op), kind) != nullptr;
}

bool Execution::evictable() const {
  return !over_ && !stopped_ && !replaying_ && !deciding_ && waits_only() && in_flight_ == 0 && tail_.empty() && pending_.empty();
}

// Nothing is under way: only time, a signal or an answer can move the run.
bool Execution::waits_only() const {
  bool waits = !sleeping_.empty() || !receivers_.empty() || !questions_.empty() || !awaited_.empty();
  return !rolling_ && active_.empty() && scheduler_.idle() && waits;
}

int64_t Execution::next_wake_us() const {
  return sleeping_.empty() ? 0 : *std::min_element(sleeping_.begin(), sleeping_.end());
}

void Execution::timer_ended(int64_t due_us) {
  auto found = std::find(sleeping_.begin(), sleeping_.end(), due_us);
  if (found == sleeping_.end()) return;
  *found = sleeping_.back();
  sleeping_.pop_back();
}

void Execution::mark_checkpoint(const std::string& name, const task::Task& task) {
  StateView* view = StateView::find(task);
  checkpoints_[name] = {undo_order_, view == nullptr ? nullptr : view->all()};
}

const CheckpointMark* Execution::checkpoint_mark(const std::string& name) const {
  auto found = checkpoints_.find(name);
  return found == checkpoints_.end() ? nullptr : &found->second;
}

std::string Execution::operation_key(const task::Task& task, uint32_t op) const {
  return flow::operation_key(options_.row.id, task.id, op, key_generation_);
}

std::string operation_key(const std::string& run, const std::string& task, uint32_t op, uint32_t generation) {
  std::string text = run + "|" + task + "|" + std::to_string(op) + "|" + std::to_string(generation);
  auto digest = sha256(text);
  return base32_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace perilune::flow
