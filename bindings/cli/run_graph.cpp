// Reading a graph off records; see run_graph.hpp. An operation is one node, whatever number of records it has; the order within a
// task is that of its operations, and a branch begins at the scope that its first record names.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_graph.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;
using Shape = RunGraph::Shape;
using State = RunGraph::State;

namespace {

using Call = std::pair<std::string, uint32_t>;   // task and number

std::optional<Shape> shape_of(const Record& record) {
  switch (record.kind) {
    case Kind::step_started:
    case Kind::intent:
    case Kind::attempt_failed:
    case Kind::step_done:
    case Kind::step_failed:
    case Kind::step_skipped:
      return Shape::step;
    case Kind::compensation_done: return Shape::undo;
    case Kind::timer_set:
    case Kind::wait_started:
    case Kind::timer_fired:
    case Kind::ask_opened:
    case Kind::lock_granted:
      return Shape::wait;
    case Kind::decision: return Shape::decision;
    case Kind::checkpoint: return Shape::checkpoint;
    case Kind::scope_opened: return Shape::scope;
    case Kind::child_started: return Shape::child;
    default: return std::nullopt;
  }
}

State state_after(const Record& record) {
  switch (record.kind) {
    case Kind::step_failed: return State::failed;
    case Kind::step_skipped:
    case Kind::op_cancelled:
      return State::skipped;
    case Kind::scope_opened:
    case Kind::checkpoint:
    case Kind::child_started:
      return State::done;
    default: return journal::carries_outcome(record.kind) || record.kind == Kind::ask_answered ? State::done : State::open;
  }
}

std::string label_of(const Record& record) {
  if (record.kind == Kind::decision) return record.name + ": " + std::string(journal::value_of(record.data));
  if (record.kind == Kind::compensation_done && !record.name.starts_with("undo ")) return "undo " + record.name;
  return record.name.empty() ? std::string(journal::kind_name(record.kind)) : record.name;
}

class Builder {
 public:
  explicit Builder(const store::RunRow& row) {
    graph_.nodes.push_back({Shape::begin, State::done, row.workflow, "0"});
    last_["0"] = {0};
  }

  void add(const Record& record) {
    if (record.kind == Kind::branch_started) return begin_branch(record);
    if (record.kind == Kind::branch_joined) return join(record);
    if (record.kind == Kind::run_done) return end(record);
    Call call{record.task, record.op};
    auto found = calls_.find(call);
    if (found != calls_.end()) {
      RunGraph::Node& node = graph_.nodes[found->second];
      if (journal::carries_outcome(record.kind) || record.kind == Kind::ask_answered) node.state = state_after(record);
      return;
    }
    std::optional<Shape> shape = shape_of(record);
    if (!shape) return;
    size_t node = append(record.task, {*shape, state_after(record), label_of(record), record.task});
    if (record.op != 0) calls_[call] = node;
  }

  RunGraph take() { return std::move(graph_); }

 private:
  size_t append(const std::string& task, RunGraph::Node node) {
    size_t made = graph_.nodes.size();
    graph_.nodes.push_back(std::move(node));
    for (size_t from : last_[task]) graph_.edges.emplace_back(from, made);
    last_[task] = {made};
    return made;
  }

  void begin_branch(const Record& record) {
    size_t dot = record.task.rfind('.');
    if (dot == std::string::npos) return;
    std::string parent = record.task.substr(0, dot);
    auto op = static_cast<uint32_t>(journal::number_of(record.data, "scope"));
    auto scope = calls_.find({parent, op});
    last_[record.task] = scope == calls_.end() ? last_[parent] : std::vector<size_t>{scope->second};
    branches_[{parent, op}].push_back(record.task);
  }

  void join(const Record& record) {
    Call scope{record.task, record.op};
    std::vector<size_t> ends;
    for (const std::string& branch : branches_[scope]) ends.insert(ends.end(), last_[branch].begin(), last_[branch].end());
    if (!ends.empty()) last_[record.task] = std::move(ends);
    bool failed = journal::number_of(record.data, "failed") > 0;
    append(record.task, {Shape::join, failed ? State::failed : State::done, record.name, record.task});
  }

  void end(const Record& record) {
    size_t made = graph_.nodes.size();
    graph_.nodes.push_back({Shape::end, record.name == "completed" ? State::done : State::failed, record.name, "0"});
    std::vector<bool> left(made, false);
    for (const auto& [from, to] : graph_.edges) left[from] = true;
    for (size_t node = 0; node < made; ++node)
      if (!left[node]) graph_.edges.emplace_back(node, made);
  }

  RunGraph graph_;
  std::map<Call, size_t> calls_;
  std::map<Call, std::vector<std::string>> branches_;   // tasks, by the scope that began them
  std::map<std::string, std::vector<size_t>> last_;     // by task: what its next node follows
};

}  // namespace

RunGraph graph_of(const store::RunRow& row, const std::vector<Record>& living) {
  Builder builder(row);
  for (const Record& record : living) builder.add(record);
  return builder.take();
}

}  // namespace perilune::cli
