// Finding the chain of causes; see why.hpp. A run that stands in the chain already is not explained again: a circle ends there.
// SPDX-License-Identifier: MIT
#include "bindings/cli/why.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "bindings/cli/owner_question.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_state.hpp"
#include "runtime/journal/held_locks.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Wait;
using store::RunRow;
using store::Status;
using Standing = Explanation::Standing;

namespace {

struct Holder {
  std::string run;
  journal::HeldLock lock;
};

class Explainer {
 public:
  Explainer(const StoreView& view, const CommonOptions& options) : view_(view), options_(options), owner_(owner_of(view)) {}

  Result<Explanation> explain(RunRow row);

 private:
  Standing standing_of(const RunRow& row) const;
  Result<void> add_wait(Explanation& of, const Wait& wait, const std::vector<journal::HeldLock>& own);
  Result<void> add_lock(Cause& cause, const std::string& run, const std::vector<journal::HeldLock>& own);
  void add_limits(Explanation& of, const RunState& state, const std::vector<journal::Record>& living) const;
  Result<void> follow(Cause& cause, const std::string& run);
  Result<const std::vector<Holder>*> holders();
  std::string typed(const std::string& verb, const std::string& run) const { return command(options_, verb, run); }

  const StoreView& view_;
  const CommonOptions& options_;
  int64_t owner_;
  std::set<std::string> above_;                    // runs of the chain so far
  std::optional<std::vector<Holder>> holders_;     // of locks of all runs
};

Standing Explainer::standing_of(const RunRow& row) const {
  if (store::is_final(row.status)) return Standing::over;
  if (row.status == Status::diverged || row.status == Status::quarantined) return Standing::stuck;
  if (row.status == Status::paused) return Standing::paused;
  if (owner_ == 0) return Standing::interrupted;
  std::optional<bool> executes = owner_executes(view_.place, row.id);
  return !executes ? Standing::unasked : *executes ? Standing::executed : Standing::idle;
}

// Read once: whoever asks for a lock of all runs looks at the journals of all that are not over.
Result<const std::vector<Holder>*> Explainer::holders() {
  if (holders_) return &*holders_;
  store::Filter filter;
  filter.statuses = {Status::queued, Status::running, Status::waiting, Status::paused, Status::diverged, Status::quarantined};
  auto rows = view_.reader->list(filter);
  if (!rows.ok()) return rows.error();
  std::vector<Holder> found;
  for (const RunRow& row : *rows) {
    auto records = view_.reader->records(row.no, 1, 0);
    if (!records.ok()) return records.error();
    for (journal::HeldLock& lock : journal::held_locks(journal::living(std::move(*records))))
      if (lock.of_all_runs) found.push_back({row.id, std::move(lock)});
  }
  holders_ = std::move(found);
  return &*holders_;
}

Result<void> Explainer::follow(Cause& cause, const std::string& run) {
  Result<std::optional<RunRow>> row = view_.reader->run(run);
  if (!row.ok()) return row.error();
  if (!row->has_value()) return {};
  Result<Explanation> next = explain(std::move(**row));
  if (!next.ok()) return next.error();
  cause.run = std::make_unique<Explanation>(std::move(*next));
  return {};
}

Result<void> Explainer::add_lock(Cause& cause, const std::string& run, const std::vector<journal::HeldLock>& own) {
  for (const journal::HeldLock& lock : own)
    if (!lock.of_all_runs && !cause.wait.of_all_runs && lock.name == cause.wait.name) {
      cause.holder_run = run;
      cause.holder_task = lock.task;
    }
  if (!cause.wait.of_all_runs) return {};
  Result<const std::vector<Holder>*> all = holders();
  if (!all.ok()) return all.error();
  for (const Holder& holder : **all) {
    if (holder.lock.name != cause.wait.name) continue;
    cause.holder_run = holder.run;
    cause.holder_task = holder.lock.task;
  }
  if (cause.holder_run.empty() || cause.holder_run == run) return {};
  return follow(cause, cause.holder_run);
}

Result<void> Explainer::add_wait(Explanation& of, const Wait& wait, const std::vector<journal::HeldLock>& own) {
  Cause& cause = of.causes.emplace_back();
  cause.kind = Cause::Kind::wait;
  cause.wait = wait;
  cause.name = wait.name;
  cause.task = wait.task;
  cause.op = wait.op;
  cause.since_us = wait.since_us;
  switch (wait.what) {
    case Wait::For::timer:
      cause.moved_by = "its time";
      return {};
    case Wait::For::retry:
      cause.moved_by = "the next attempt";
      return {};
    case Wait::For::signal:
      cause.moved_by = "the signal";
      cause.command = typed("signal", of.row.id) + " " + shell_quoted(wait.name) + " [VALUE]";
      return {};
    case Wait::For::answer:
      cause.moved_by = "the answer";
      cause.command = typed("answer", of.row.id) + " --question " + std::to_string(wait.seq) + " VALUE";
      return {};
    case Wait::For::run:
      cause.moved_by = "the end of run " + wait.run;
      return follow(cause, wait.run);
    case Wait::For::lock: {
      Result<void> found = add_lock(cause, of.row.id, own);
      cause.moved_by = cause.holder_run.empty()        ? "the lock, which is free"
                       : cause.holder_run == of.row.id ? "task " + cause.holder_task + " of this run, which has the lock"
                                                       : "run " + cause.holder_run + ", which has the lock";
      return found;
    }
  }
  return {};
}

// Branches of an open scope that have not begun wait for one of those that have.
void Explainer::add_limits(Explanation& of, const RunState& state, const std::vector<journal::Record>& living) const {
  if (state.scopes().empty()) return;
  std::map<std::pair<std::string, int64_t>, size_t> begun;
  for (const journal::Record& record : living) {
    size_t dot = record.task.rfind('.');
    if (record.kind == journal::Kind::branch_started && dot != std::string::npos)
      ++begun[{record.task.substr(0, dot), journal::number_of(record.data, "scope")}];
  }
  for (const auto& [task, scope] : state.scopes_by_task()) {
    size_t started = begun[{task, scope.op}];
    if (started >= scope.total) continue;
    Cause& cause = of.causes.emplace_back();
    cause.kind = Cause::Kind::limit;
    cause.name = scope.name;
    cause.task = task;
    cause.op = scope.op;
    cause.since_us = scope.since_us;
    cause.begun = started;
    cause.over = scope.done + scope.failed;
    cause.total = scope.total;
    cause.moved_by = "the end of a branch";
  }
}

Result<Explanation> Explainer::explain(RunRow row) {
  Explanation found;
  found.row = std::move(row);
  found.owner = owner_;
  found.standing = standing_of(found.row);
  found.circle = !above_.insert(found.row.id).second;
  if (found.circle || found.standing == Standing::over) return found;
  auto records = view_.reader->records(found.row.no, 1, 0);
  if (!records.ok()) return records.error();
  engine::Finding finding(found.row, *records);
  RunState state;
  for (const journal::Record& record : finding.living) state.apply(record);
  if (!records->empty()) found.acts = offered_acts(view_, finding, options_);
  if (found.standing == Standing::stuck) return found;
  std::vector<journal::HeldLock> own = journal::held_locks(finding.living);
  for (const OpenOperation* operation : state.operations()) {
    if (operation->state != OpenOperation::State::running) continue;
    Cause& cause = found.causes.emplace_back();
    cause.kind = Cause::Kind::step;
    cause.name = operation->name;
    cause.attempt = operation->attempt;
    cause.since_us = operation->since_us;
    cause.moved_by = "the end of the step";
  }
  for (const Wait* wait : state.waits()) {
    Result<void> added = add_wait(found, *wait, own);
    if (!added.ok()) return added.error();
  }
  add_limits(found, state, finding.living);
  if (found.causes.empty() && found.standing != Standing::paused) {
    Cause& cause = found.causes.emplace_back();
    cause.since_us = found.row.updated_us;
    cause.moved_by = "its next record";
  }
  above_.erase(found.row.id);   // beside each other two may wait for the same run
  return found;
}

}  // namespace

std::string_view standing_name(Standing standing) {
  constexpr std::string_view k_names[] = {"over", "stuck", "paused", "executed", "unasked", "idle", "interrupted"};
  return k_names[static_cast<size_t>(standing)];
}

Result<Explanation> explain(const StoreView& view, RunRow row, const CommonOptions& options) {
  return Explainer(view, options).explain(std::move(row));
}

}  // namespace perilune::cli
