// The records of branches and spawned tasks; see branch.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/branch.hpp"

#include <nlohmann/json.hpp>

#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Task;

namespace {

constexpr size_t k_result_bytes_max = 1024;   // of a result that is kept to be looked at

std::string member(uint32_t scope) { return scope == 0 ? std::string() : "\"scope\":" + std::to_string(scope); }

void note(Execution& execution, const Task& task, Kind kind, std::string label, std::string data) {
  journal::Record record;
  record.kind = kind;
  record.task = task.id;
  record.name = std::move(label);
  record.data = std::move(data);
  execution.note(std::move(record), false);
}

std::string end_data(const Task& task, uint32_t scope) {
  std::string extra = member(scope);
  if (task.ended_cancelled()) extra.append(extra.empty() ? "" : ",").append("\"cancelled\":true");
  if (task.failed) return journal::with_error({0, 0, extra}, to_json_text(*task.error));
  std::string result = task.coroutine->short_result(k_result_bytes_max);
  if (!result.empty()) return journal::with_value({0, 0, extra}, result);
  return extra.empty() ? extra : "{" + extra + "}";
}

}  // namespace

void note_branch_started(Execution& execution, const Task& task, std::string label, uint32_t scope) {
  if (!task.journaled() || execution.noted(task, 0, Kind::branch_started)) return;
  std::string extra = member(scope);
  note(execution, task, Kind::branch_started, std::move(label), extra.empty() ? extra : "{" + extra + "}");
}

void note_branch_done(Execution& execution, const Task& task, std::string label, uint32_t scope) {
  if (!task.journaled() || execution.noted(task, 0, Kind::branch_done)) return;
  note(execution, task, Kind::branch_done, std::move(label), end_data(task, scope));
}

std::shared_ptr<task::TaskHandle> spawn_noted(Execution& execution, Task& owner, Task& maker,
                                              std::unique_ptr<task::Coroutine> coroutine, std::string label) {
  std::shared_ptr<task::TaskHandle> handle = execution.scheduler().spawn_into(owner, maker, std::move(coroutine));
  const Task& task = *handle->task;
  note_branch_started(execution, task, label, 0);
  handle->on_end.push_back(   // the task is still there then
      [&execution, &task, label = std::move(label)] { note_branch_done(execution, task, label, 0); });
  return handle;
}

std::string label_of(std::string_view name) {
  return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace perilune::flow
