// See replayed_run.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/replayed_run.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"
#include "runtime/engine/run.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::engine {

using journal::Kind;
using journal::Record;

namespace {

// What the script itself led to: not its end, and not what an operator's rollback has undone so far.
std::vector<Record> of_the_script(std::vector<Record> living) {
  std::optional<journal::OpenRollback> rollback = journal::open_rollback(living);
  while (!living.empty() && (living.back().kind == Kind::run_done || (rollback && living.back().seq >= rollback->since)))
    living.pop_back();
  return living;
}

}  // namespace

Result<std::unique_ptr<ReplayedRun>> ReplayedRun::open(const Sources& sources, const std::string& run) {
  Result<std::optional<store::RunRow>> row = sources.reader->run(run);
  if (!row.ok()) return row.error();
  if (!row->has_value()) return Error(code::k_not_found, "no run '" + run + "' in this store");
  Result<std::vector<Record>> records = store::sound_records(**row, sources.reader->journal(**row));
  if (!records.ok()) return records.error();
  auto content = sources.reader->bundle((*row)->bundle);
  if (!content.ok()) return content.error();
  if (!content->has_value()) return Error(code::k_damaged, "the code of run '" + run + "' is not in the store");
  Result<BundleRef> bundle = read_bundle((*row)->bundle, std::move(**content));
  if (!bundle.ok()) return bundle.error();
  std::unique_ptr<ReplayedRun> replayed(
      new ReplayedRun(sources, std::move(**row), of_the_script(journal::living(std::move(*records))), *bundle));
  if (Result<void> result = replayed->replay(); !result.ok()) return result.error();
  return replayed;
}

ReplayedRun::ReplayedRun(const Sources& sources, store::RunRow row, std::vector<Record> records, BundleRef bundle)
    : sources_(sources), loop_(records.back().at_us), effects_(loop_), facts_(read_start_data(records.front())),
      bundle_(std::move(bundle)) {
  for (const Record& record : records) {
    if (record.kind != Kind::module_added) continue;
    nlohmann::json data = nlohmann::json::parse(record.data, nullptr, false);
    if (data.is_object()) added_modules_[record.name] = data.value("text", "");
  }
  flow::Execution::Options options;
  options.loop = &loop_;
  options.listener = this;
  options.read_only = true;
  options.seed = hash64(facts_.seed.empty() ? row.id : facts_.seed);
  options.row = std::move(row);
  options.records = std::move(records);
  execution_ = std::make_unique<flow::Execution>(std::move(options));
}

// As for Run: the tasks go before the Lua state.
ReplayedRun::~ReplayedRun() {
  execution_.reset();
  script_.reset();
}

Result<void> ReplayedRun::replay() {
  Result<std::unique_ptr<Script>> script = sources_.host->open(bundle_, row().workflow, *this);
  if (!script.ok()) return script.error();
  script_ = std::move(*script);
  Result<std::unique_ptr<task::Coroutine>> main = script_->main();
  if (!main.ok()) return main.error();
  execution_->start(std::move(*main));
  do execution_->turn();
  while (execution_->unfinished_turn() && script_->killed() == nullptr);
  if (script_->killed() != nullptr) return *script_->killed();
  if (ending_.error != nullptr) return *ending_.error;
  return {};
}

Result<std::string> ReplayedRun::query(const std::string& name, const std::string& input_json) {
  if (!nlohmann::json::accept(input_json)) return Error(code::k_validation, "the input is not JSON: " + input_json.substr(0, 100));
  return script_->query(name, input_json);
}

Result<std::string> ReplayedRun::find_module(const std::string& name) {
  if (auto found = bundle_->modules.find(name); found != bundle_->modules.end()) return found->second;
  if (auto found = added_modules_.find(name); found != added_modules_.end()) return found->second;
  if (auto found = sources_.builtin_modules->find(name); found != sources_.builtin_modules->end()) return found->second;
  return Error(code::k_not_found, "the code of the run has no module '" + name + "'");
}

std::unique_ptr<flow::StepCode> ReplayedRun::postflight() { return nullptr; }

}  // namespace perilune::engine
