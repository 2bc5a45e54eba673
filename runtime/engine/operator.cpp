// Carries out what operators ask: for runs that nobody executes as records appended to their journals (recovery.hpp says
// which), for live ones through their execution.
// SPDX-License-Identifier: MIT
#include "runtime/engine/operator.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"
#include "runtime/engine/input.hpp"
#include "runtime/engine/recovery.hpp"
#include "runtime/engine/run.hpp"

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
  Result<std::optional<RunRow>> row = reader().run(id);
  if (!row.ok()) return done(row.error());
  if (!row->has_value()) return done(Error(code::k_not_found, "no run '" + id + "' in this store"));
  auto records = reader().records((*row)->no, 1, 0);
  if (!records.ok()) return done(records.error());
  if (records->empty() || records->back().seq != (*row)->last_seq)
    return done(Error(code::k_damaged, "the journal of run '" + id + "' is not whole"));
  Finding finding(std::move(**row), *records);
  Result<Plan> plan = plan_act(finding, order);
  if (!plan.ok()) return done(plan.error());
  if (plan->records.empty()) return done(finding.row);
  number(plan->records, finding.row, records->back().generation, options_.loop->clock().wall_us());
  append_plan(id, std::move(plan->records), std::move(plan->patch), std::move(done));
}

// What is planned for a journal is refused when the journal has grown since.
void Engine::append_plan(const std::string& id, std::vector<Record> records, store::RunPatch patch, Started done) {
  auto claimed = [this, id, records = std::move(records), patch = std::move(patch),
                  done = std::move(done)](Result<RunRow> row) mutable {
    if (!row.ok()) return done(row.error());
    store::Append batch;
    batch.run = row->no;
    batch.epoch = row->epoch;
    batch.patch = std::move(patch);
    batch.records = std::move(records);
    auto appended = [this, id, done = std::move(done)](Result<void> result) {
      if (!result.ok()) return done(result.error());
      Result<std::optional<RunRow>> now = reader().run(id);
      if (!now.ok()) return done(now.error());
      if (!now->has_value()) return done(Error(code::k_not_found, "run '" + id + "' has vanished from the store"));
      done(std::move(**now));
    };
    options_.store->append(std::move(batch), *options_.loop, std::move(appended));
    options_.loop->ask_turn();
  };
  options_.store->claim(id, *options_.loop, std::move(claimed));
  options_.loop->ask_turn();
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
    run.execution_->abort(Error(code::k_cancelled, "aborted by " + order.by + "; nothing was undone"), Status::cancelled);
  }
  ask_turn(run);
}

// Code of a bundle, for the check of an input.
class BundleSource final : public ModuleSource {
 public:
  BundleSource(const Bundle& bundle, const std::map<std::string, std::string>& builtin) : bundle_(bundle), builtin_(builtin) {}
  Result<std::string> find_module(const std::string& name) override {
    if (auto found = builtin_.find(name); found != builtin_.end()) return found->second;
    if (auto found = bundle_.modules.find(name); found != bundle_.modules.end()) return found->second;
    return Error(code::k_not_found, "module '" + name + "' is not among the code that the run is pinned to");
  }

 private:
  const Bundle& bundle_;
  const std::map<std::string, std::string>& builtin_;
};

// Against the schema of the workflow that the run is pinned to; defaults are filled in.
Result<void> Engine::check_fork_input(const RunRow& row, const StartFacts& facts, std::string& input) {
  Result<std::string> text = canonical_input(input);
  if (!text.ok()) return text.error();
  input = std::move(*text);
  Result<BundleRef> code = bundle(row.bundle);
  if (!code.ok()) return code.error();
  BundleSource modules(**code, options_.builtin_modules);
  auto definitions = options_.host->inspect(facts.file, (*code)->text, modules, options_.settings);
  if (!definitions.ok()) return definitions.error();
  for (const Definition& definition : *definitions) {
    if (definition.name != row.workflow || definition.input == nullptr) continue;
    Result<std::string> checked = definition.input->check(input, "input");
    if (!checked.ok()) return checked.error();
    input = std::move(*checked);
  }
  return {};
}

void Engine::fork(const std::string& id, const ForkOrder& order, Started done) {
  Result<std::optional<RunRow>> row = reader().run(id);
  if (!row.ok()) return done(row.error());
  if (!row->has_value()) return done(Error(code::k_not_found, "no run '" + id + "' in this store"));
  auto journal = reader().records((*row)->no, 1, 0);
  if (!journal.ok()) return done(journal.error());
  if (journal->empty()) return done(Error(code::k_damaged, "the journal of run '" + id + "' is not whole"));
  Finding finding(std::move(**row), *journal);
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
    if (Result<void> checked = check_fork_input(finding.row, facts, run.row.input); !checked.ok()) return done(checked.error());
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
