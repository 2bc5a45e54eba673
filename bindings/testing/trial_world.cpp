// What stands in for the world of a run under test, and what the test sees of the run; see trial.hpp.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/testing/event_names.hpp"
#include "bindings/testing/trial.hpp"
#include "runtime/journal/payload.hpp"
#include "runtime/loop/sim_loop.hpp"

namespace perilune::testing {

using journal::Kind;
using journal::Record;
using nlohmann::json;

namespace {

json value_or_null(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json() : value;
}

json record_view(const Record& record) {
  json view{{"seq", record.seq}, {"kind", journal::kind_name(record.kind)}, {"name", record.name}, {"task", record.task}, {"op", record.op}};
  view["data"] = value_or_null(record.data);
  return view;
}

json error_view(const std::string& text) { return text.empty() ? json() : value_or_null(text); }

}  // namespace

std::unique_ptr<effects::Effect> Trial::effect(const std::string& call, const std::string& arguments,
                                               const task::AttemptContext& attempt, effects::Done<std::string> done) {
  note_attempt(call, attempt.key());
  json seen{{"call", call}, {"step", attempt.step}, {"arguments", value_or_null(arguments)}};
  effects_.push_back(seen.dump(-1, ' ', false, json::error_handler_t::replace));
  loop::Loop& loop = stage();
  if (!mocks_.has(call)) {
    unmocked_.push_back(call + (attempt.step.empty() || attempt.step == call ? "" : " in step '" + attempt.step + "'"));
    Error error(code::k_usage, "the effect " + call + " is not mocked: nothing of the real world is touched in a test; add "
                               "mock = { [\"" + call + "\"] = ... }, or mock the step that it is in");
    error.retry = false;
    return effects::play(loop, std::move(error), 0, std::move(done));
  }
  Mocks::Answer answer = mocks_.answer(call, arguments);
  return effects::play(loop, std::move(answer.value), answer.after_us, std::move(done));
}

bool Trial::takes_over(const std::string& name, const task::AttemptContext& attempt) {
  note_attempt(name, attempt.key());
  return mocks_.has(name);
}

std::unique_ptr<effects::Effect> Trial::body(const std::string& name, const task::AttemptContext& attempt,
                                             effects::Done<std::string> done) {
  json arguments = json::array({{{"number", attempt.number}, {"key", attempt.key()}}});
  if (!attempt.input.empty()) arguments.push_back(value_or_null(attempt.input));
  Mocks::Answer answer = mocks_.answer(name, arguments.dump());
  return effects::play(stage(), std::move(answer.value), answer.after_us, std::move(done));
}

std::string Trial::view_json() {
  json view{{"id", order_.id}, {"status", "refused"}, {"unmocked", unmocked_}, {"repeated", repeated_}};
  view["seconds"] = static_cast<double>(wall_us_ - begun_us_) / 1e6;
  if (refused_ != nullptr) view["error"] = value_or_null(to_json_text(*refused_));
  auto reader = open_reader();
  if (auto row = reader->run(order_.id); row.ok() && row->has_value()) {
    view["status"] = store::status_name((*row)->status);
    view["workflow"] = (*row)->workflow;
    view["output"] = value_or_null((*row)->output);
    if (!(*row)->error.empty()) view["error"] = error_view((*row)->error);
  }
  json& records = view["records"] = json::array();
  json& events = view["events"] = json::array();
  for (const Record& record : journal(*reader)) {
    records.push_back(record_view(record));
    if (std::string name = event_name(record); !name.empty()) events.push_back(name);
  }
  json& logs = view["logs"] = json::array();
  for (const Line& line : logs_)
    logs.push_back({{"level", line.level}, {"text", line.text}, {"fields", value_or_null(line.fields)}});
  json& effects = view["effects"] = json::array();
  for (const std::string& effect : effects_) effects.push_back(value_or_null(effect));
  return view.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace perilune::testing
