// Carries out what operators ask: for runs that nobody executes as records appended to their journals (recovery.hpp says
// which), for live ones through their execution.
// SPDX-License-Identifier: MIT
#include "runtime/engine/operator.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"
#include "runtime/engine/input.hpp"
#include "runtime/engine/recovery.hpp"
#include "runtime/engine/run.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::engine {

using journal::Kind;
using journal::Record;
using nlohmann::json;
using store::RunRow;
using store::Status;

namespace {

Record live_act(const std::string& verb, const std::string& by, Kind kind) {
  Record record;
  record.kind = kind;
  record.name = verb;
  record.data = json{{"by", by}}.dump(-1, ' ', false, json::error_handler_t::replace);
  return record;
}

void number(std::vector<Record>& records, const RunRow& row, uint32_t generation, int64_t now_us) {
  uint64_t seq = row.last_seq;
  for (Record& record : records) {
    record.seq = ++seq;
    record.at_us = now_us;
    if (auto rewind = journal::rewind_of(record)) generation = rewind->generation;
    record.generation = generation;
  }
}

}  // namespace

void Engine::operate(const std::string& id, const Order& order, Started done) {
  if (sleeping_.count(id) != 0) wake(id);
  if (auto live = runs_.find(id); live != runs_.end()) return operate_live(*live->second, order, std::move(done));
  if (claiming_.count(id) != 0) return done(Error(code::k_conflict, "run '" + id + "' is being taken up"));
  if (auto storing = storing_.find(id); storing != storing_.end()) {
    storing->second.push_back([this, id, order, done] { operate(id, order, done); });
    return;
  }
  Result<std::optional<RunRow>> row = reader().run(id);
  if (!row.ok()) return done(row.error());
  if (!row->has_value()) return done(Error(code::k_not_found, "no run '" + id + "' in this store"));
  Result<store::Journal> journal = reader().journal(**row);
  if (journal.ok() && order.act == Order::Act::abort) journal->flaw.reset();   // a damaged run can be given up
  Result<std::vector<Record>> records = store::sound_records(**row, std::move(journal));
  if (!records.ok()) return done(records.error());
  Finding finding(std::move(**row), *records);
  Result<Plan> plan = plan_act(finding, order);
  if (!plan.ok()) return done(plan.error());
  if (plan->records.empty()) return done(finding.row);
  number(plan->records, finding.row, records->empty() ? 0 : records->back().generation, options_.loop->clock().wall_us());
  append_plan(id, std::move(plan->records), std::move(plan->patch), std::move(done));
}

// What is planned for a journal is refused when the journal has grown since.
void Engine::append_plan(const std::string& id, std::vector<Record> records, store::RunPatch patch, Started done) {
  auto batch = [records = std::move(records), patch = std::move(patch)](const RunRow&) {
    store::Append append;
    append.records = records;
    append.patch = patch;
    return append;
  };
  append_stored(id, std::move(batch), [this, id, done = std::move(done)](Result<void> result) {
    if (!result.ok()) return done(result.error());
    Result<std::optional<RunRow>> now = reader().run(id);
    if (!now.ok()) return done(now.error());
    if (!now->has_value()) return done(Error(code::k_not_found, "run '" + id + "' has vanished from the store"));
    if (store::is_final((*now)->status)) locks_.run_ended(id);
    done(std::move(**now));
  });
}

// A run that this engine executes: only what ends its life here is open. `done` comes when that has ended.
void Engine::operate_live(Run& run, const Order& order, Started done) {
  if (order.act != Order::Act::pause && order.act != Order::Act::abort)
    return done(Error(code::k_usage, "run '" + run.row().id + "' is being executed; open are: pause, cancel, abort"));
  auto ended = [before = std::move(run.ended_), done = std::move(done)](const RunRow& row, const flow::Ending& ending) {
    if (before) before(row, ending);
    done(row);
  };
  run.ended_ = std::move(ended);
  if (order.act == Order::Act::pause) {
    run.execution_->pause_by(live_act("pause", order.by, Kind::paused));
  } else {
    run.execution_->note(live_act("abort", order.by, Kind::operator_act), false);
    run.aborted_ = true;   // its children are cancelled
    run.execution_->abort(Error(code::k_cancelled, "aborted by " + order.by + "; nothing was undone"), Status::cancelled);
  }
  ask_turn(run);
}

// Children of the run that began since the checkpoint; those that it left to themselves go on.
void Engine::cancel_children_since(Run& run, const journal::OpenRollback& rollback) {
  for (const Record& record : run.execution_->cursor().records()) {
    if (record.kind != Kind::child_started || record.seq <= rollback.checkpoint) continue;
    json id = json::parse(journal::value_of(record.data), nullptr, false);
    if (!id.is_string()) continue;
    Result<std::optional<RunRow>> child = reader().run(id.get<std::string>());
    if (!child.ok() || !child->has_value() || (*child)->parent != run.row().id || store::is_final((*child)->status)) continue;
    run.leaving_.push_back((*child)->id);
    cancel_run((*child)->id, Error(code::k_cancelled, "the run that began it was rolled back to '" + rollback.name + "'"),
               rollback.by);
  }
}

// Locks across runs that the run was granted since the checkpoint that it has gone back to.
void Engine::release_since(const Run& run) {
  uint64_t checkpoint = run.execution_->rolling_back()->checkpoint;
  for (const Record& record : run.execution_->cursor().records())
    if (record.kind == Kind::lock_granted && record.seq > checkpoint)
      locks_.release(record.name, {run.row().id, record.task, record.op});
}

// Wakes the run when the others are over, or can't go on here.
void Engine::wake_after(const std::string& id, const std::vector<std::string>& others) {
  auto left = std::make_shared<size_t>(others.size() + 1);
  auto one_less = [this, id, left] {
    if (--*left == 0) wake(id);
  };
  for (const std::string& other : others)
    resume(other, [one_less](const Result<RunRow>& row) { if (!row.ok()) one_less(); },
           [one_less](const RunRow&, const flow::Ending&) { one_less(); });
  one_less();
}

// Against the schema of the workflow that the run is pinned to; defaults are filled in.
Result<void> Engine::check_fork_input(const RunRow& row, std::string& input) {
  Result<std::string> text = canonical_input(input);
  if (!text.ok()) return text.error();
  input = std::move(*text);
  Result<BundleRef> code = bundle(row.bundle);
  if (!code.ok()) return code.error();
  Result<Inspection> pinned = inspect_pinned(*code);
  if (!pinned.ok()) return pinned.error();
  for (const Definition& definition : pinned->definitions) {
    if (definition.name != row.workflow || definition.input == nullptr) continue;
    Result<std::string> checked = definition.input->check(input, "input");
    if (!checked.ok()) return checked.error();
    input = std::move(*checked);
  }
  return {};
}

void Engine::fork(const std::string& id, const ForkOrder& order, Started done) {
  if (!order.id.empty() && !is_run_id(order.id))
    return done(Error(code::k_usage, "'" + order.id.substr(0, 60) + "' can't be the id of a run: it has " + k_run_id_rule));
  Result<std::optional<RunRow>> row = reader().run(id);
  if (!row.ok()) return done(row.error());
  if (!row->has_value()) return done(Error(code::k_not_found, "no run '" + id + "' in this store"));
  Result<store::Journal> journal = reader().journal(**row);
  if (!journal.ok()) return done(journal.error());
  std::vector<Record>& records = journal->records;
  if (journal->flaw)   // what comes before the damage can be gone on from
    std::erase_if(records, [&](const Record& record) { return record.seq >= journal->flaw->seq; });
  if (records.empty()) return done(store::sound_records(**row, std::move(journal)).error());
  (*row)->last_seq = records.back().seq;
  Finding finding(std::move(**row), records);
  uint64_t at = order.at == 0 ? newest_fork(finding) : order.at;
  Result<std::vector<Record>> shared = plan_fork(finding, at);
  if (!shared.ok()) return done(shared.error());

  StartFacts facts = read_start_data(shared->front());
  if (facts.seed.empty()) facts.seed = id;   // what the shared records came from
  int64_t now_us = options_.loop->clock().wall_us();
  store::NewRun run;
  run.copied = true;
  run.row = finding.row;
  run.row.id = order.id.empty() ? new_uuid_v7(now_us) : order.id;
  run.row.parent.clear();
  run.row.output.clear();
  run.row.error.clear();
  run.row.status = Status::running;
  run.row.wake_us = 0;
  run.row.created_us = run.row.updated_us = now_us;
  if (!order.input.empty()) {
    run.row.input = order.input;
    if (Result<void> checked = check_fork_input(finding.row, run.row.input); !checked.ok()) return done(checked.error());
  }
  shared->front().data = start_data(facts, run.row);
  Record act;
  act.kind = Kind::operator_act;
  act.name = "fork";
  act.seq = at + 1;
  act.generation = shared->back().generation;
  act.at_us = now_us;
  act.data = json{{"by", order.by}, {"of", id}, {"at", at}}.dump(-1, ' ', false, json::error_handler_t::replace);
  shared->push_back(std::move(act));
  run.records = std::move(*shared);
  auto created = [done = std::move(done)](Result<store::Created> made) {
    if (!made.ok()) return done(made.error());
    if (made->existed) return done(Error(code::k_conflict, "run '" + made->row.id + "' exists already"));
    done(std::move(made->row));
  };
  options_.store->create(std::move(run), *options_.loop, std::move(created));
  options_.loop->ask_turn();
}

}  // namespace perilune::engine
