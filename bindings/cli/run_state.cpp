// See run_state.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_state.hpp"

#include <algorithm>

#include "runtime/base/error.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;

namespace {

// The "call" member of a scope's data, which holds nothing but a word.
std::string call_of(std::string_view data) {
  constexpr std::string_view k_marker = "\"call\":\"";
  size_t at = data.find(k_marker);
  if (at == std::string_view::npos) return "parallel";
  at += k_marker.size();
  return std::string(data.substr(at, data.find('"', at) - at));
}

std::string parent_of(const std::string& task) {
  size_t dot = task.rfind('.');
  return dot == std::string::npos ? std::string() : task.substr(0, dot);
}

}  // namespace

OpenOperation& RunState::open(const Record& record, OpenOperation::State state) {
  auto [found, fresh] = operations_.try_emplace({record.task, record.op});
  OpenOperation& operation = found->second;
  if (fresh) operation.order = ++appeared_;
  operation.state = state;
  operation.name = record.name;
  operation.since_us = record.at_us;
  return operation;
}

void RunState::step_over(const Record& record) {
  if (!operations_.empty()) operations_.erase({record.task, record.op});
  if (record.kind == Kind::step_done) ++steps_done_;
  if (record.kind != Kind::step_failed) return;
  ++steps_failed_;
  last_error_ = journal::error_of(record.data);
  last_error_us_ = record.at_us;
}

void RunState::apply(const Record& record) {
  waits_.apply(record);
  switch (record.kind) {
    case Kind::step_started:
    case Kind::intent: {
      OpenOperation& operation = open(record, OpenOperation::State::running);
      if (int64_t started_us = journal::number_of(record.data, "started")) operation.since_us = started_us;
      operation.attempt = static_cast<int>(journal::number_of(record.data, "attempt"));
      break;
    }
    case Kind::attempt_failed: {
      OpenOperation& operation = open(record, OpenOperation::State::retrying);
      operation.attempt = static_cast<int>(journal::number_of(record.data, "attempt"));
      operation.due_us = journal::number_of(record.data, "retry_at");
      if (operation.due_us == 0) operation.state = OpenOperation::State::given_up;
      last_error_ = journal::error_of(record.data);
      last_error_us_ = record.at_us;
      operation.error = one_line(error_from_json_text(last_error_));
      break;
    }
    case Kind::scope_opened: {
      OpenScope scope{call_of(record.data), record.name, 0, 0, 0, record.at_us};
      scope.total = static_cast<size_t>(journal::number_of(record.data, "total"));
      scope.op = record.op;
      scopes_[record.task] = std::move(scope);
      break;
    }
    case Kind::branch_done:
      if (auto found = scopes_.find(parent_of(record.task));
          found != scopes_.end() && journal::number_of(record.data, "scope") == found->second.op)
        ++(journal::holds_error(record.data) ? found->second.failed : found->second.done);
      break;
    case Kind::branch_joined:
      scopes_.erase(record.task);
      break;
    case Kind::step_done:
    case Kind::step_failed:
    case Kind::step_skipped:
    case Kind::op_cancelled:
      step_over(record);
      break;
    case Kind::run_done:
      operations_.clear();
      scopes_.clear();
      break;
    default:
      break;
  }
}

std::vector<const OpenOperation*> RunState::operations() const {
  std::vector<const OpenOperation*> all;
  all.reserve(operations_.size());
  for (const auto& [key, operation] : operations_) all.push_back(&operation);
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->order < b->order; });
  return all;
}

std::vector<const OpenScope*> RunState::scopes() const {
  std::vector<const OpenScope*> all;
  for (const auto& [key, scope] : scopes_) all.push_back(&scope);
  return all;
}

}  // namespace perilune::cli
