// One live run: opening, turns, and the end. See run.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/run.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"
#include "runtime/engine/modules.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::engine {

using journal::Kind;
using nlohmann::json;

std::string start_data(const StartFacts& facts, const store::RunRow& row) {
  // Member by member: a JSON object made first would be a tenth of what an empty run costs.
  auto quoted = [](const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); };
  return "{\"bundle\":" + quoted(row.bundle) + ",\"cwd\":" + quoted(facts.cwd) + ",\"directory\":" +
         quoted(facts.directory) + ",\"engine\":1,\"file\":" + quoted(facts.file) + ",\"timeout_us\":" +
         std::to_string(facts.timeout_us) + ",\"version\":" + std::to_string(row.version) + ",\"workflow\":" +
         quoted(row.workflow) + (facts.pause_on_error ? ",\"on_error\":\"pause\"" : "") +
         (facts.preflight_at_top ? ",\"preflight\":\"top\"" : "") +
         (facts.seed.empty() ? "" : ",\"seed\":" + quoted(facts.seed)) + ",\"input\":" + (row.input.empty() ? "null" : row.input) + "}";
}

StartFacts read_start_data(const journal::Record& record) {
  StartFacts facts;
  facts.started_us = record.at_us;
  json data = json::parse(record.data, nullptr, false);
  if (!data.is_object()) return facts;
  facts.cwd = data.value("cwd", "");
  facts.directory = data.value("directory", "");
  facts.file = data.value("file", "");
  facts.timeout_us = data.value("timeout_us", int64_t{0});
  facts.pause_on_error = data.value("on_error", "") == "pause";
  facts.preflight_at_top = data.value("preflight", "") == "top";
  facts.seed = data.value("seed", "");
  return facts;
}

Run::Run(Engine& engine, store::RunRow row, StartFacts facts, std::vector<journal::Record> records, BundleRef bundle,
         Engine::Ended ended)
    : engine_(engine), facts_(std::move(facts)), bundle_(std::move(bundle)), ended_(std::move(ended)) {
  records = journal::living(std::move(records));
  for (const journal::Record& record : records) {
    if (record.kind != Kind::module_added) continue;
    json data = json::parse(record.data, nullptr, false);
    if (data.is_object()) added_modules_[record.name] = data.value("text", "");
  }
  flow::Execution::Options options;
  options.loop = engine.options_.loop;
  options.store = engine.options_.store;
  options.listener = this;
  options.seed = hash64(facts_.seed.empty() ? row.id : facts_.seed);
  options.rules = engine.options_.rules;
  options.stand_in = engine.options_.stand_in;
  options.snapshot_due = engine.options_.snapshot_due;
  options.timeout_us = facts_.timeout_us;
  options.pause_on_error = facts_.pause_on_error;
  options.children = this;
  options.hooks = &engine.hooks_;
  options.row = std::move(row);
  options.records = std::move(records);
  execution_ = std::make_unique<flow::Execution>(std::move(options));
}

// The tasks (and with them every Lua thread) go before the Lua state, the state before nothing else.
Run::~Run() {
  execution_.reset();
  script_.reset();
}

Result<void> Run::open() {
  Result<std::unique_ptr<Script>> script = engine_.options_.host->open(bundle_, row().workflow, *this);
  if (!script.ok()) return script.error();
  script_ = std::move(*script);
  Result<std::unique_ptr<task::Coroutine>> main = script_->main();
  if (!main.ok()) return main.error();
  execution_->start(std::move(*main));
  if (execution_->rolling_back()) engine_.cancel_children_since(*this, *execution_->rolling_back());
  ask_turn();
  return {};
}

void Run::turn() {
  if (over_) return;
  execution_->turn();
  if (script_->killed() != nullptr && !aborted_) {
    aborted_ = true;
    execution_->abort(*script_->killed());
    execution_->turn();
  }
}

void Run::committed(const journal::Record& record) {
  if (engine_.options_.observer != nullptr) engine_.options_.observer->committed(row(), record);
}

void Run::ended(const flow::Ending& ending) {
  over_ = true;
  ending_ = ending;
  ask_turn();
}

void Run::store_failed(const Error& error) {
  flow::Ending ending;
  ending.status = row().status;   // as it stands on disk: the run can be resumed
  ending.error = std::make_shared<const Error>(error);
  ended(ending);
}

Result<std::string> Run::check_output(std::string output) {
  std::shared_ptr<const flow::Schema> schema = script_->output_schema();
  if (schema == nullptr) return output;
  return schema->check(output, "output");
}

std::unique_ptr<flow::StepCode> Run::postflight() { return script_->postflight(); }

void Run::log(const char* level, std::string_view text, std::string_view fields) {
  if (execution_->replaying() || engine_.options_.observer == nullptr) return;
  engine_.options_.observer->log(row(), engine_.options_.loop->clock().wall_us(), level, text, fields);
}

Result<std::string> Run::find_module(const std::string& name) {
  if (auto found = bundle_->modules.find(name); found != bundle_->modules.end()) return found->second;
  if (auto found = added_modules_.find(name); found != added_modules_.end()) return found->second;
  Result<std::string> text = module_text(engine_.options_.builtin_modules, facts_.directory, name);
  if (!text.ok()) return text;
  added_modules_[name] = *text;
  journal::Record record;
  record.kind = Kind::module_added;
  record.name = name;
  record.data = json{{"text", *text}}.dump(-1, ' ', false, json::error_handler_t::replace);
  execution_->note(std::move(record), false);
  return text;
}

}  // namespace perilune::engine
