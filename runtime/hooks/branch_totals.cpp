// See branch_totals.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/branch_totals.hpp"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

namespace perilune::hooks {

using journal::Kind;
using journal::Record;

namespace {

// The number of the child of `parent` that is `task` or above it; 0 = it is not below `parent`.
uint64_t child_number(const std::string& parent, const std::string& task) {
  if (task.size() <= parent.size() + 1 || task[parent.size()] != '.' || !task.starts_with(parent)) return 0;
  return std::strtoull(task.c_str() + parent.size() + 1, nullptr, 10);
}

bool is_child(const std::string& parent, const std::string& task) {
  return child_number(parent, task) != 0 && task.find('.', parent.size() + 1) == std::string::npos;
}

uint32_t scope_of(const Record& record) {
  nlohmann::json data = nlohmann::json::parse(record.data, nullptr, false);
  return data.is_object() ? data.value("scope", 0u) : 0;
}

void add(BranchTotals& totals, const Record& record) {
  ++totals.records;
  switch (record.kind) {
    case Kind::step_done: ++totals.steps_done; break;
    case Kind::step_failed: ++totals.steps_failed; break;
    case Kind::step_skipped: ++totals.steps_skipped; break;
    case Kind::attempt_failed: ++totals.attempts_failed; break;
    default: break;
  }
}

}  // namespace

// A task that runs beside the branches (spawned before them) is none of them: it was not begun by the scope.
bool BranchGatherer::count(Scopes& scopes, const Record& record) {
  for (Scope& scope : scopes) {
    uint64_t number = child_number(scope.task, record.task);
    if (number == 0) continue;
    auto branch = scope.branches.find(number);
    if (branch == scope.branches.end()) {
      if (record.kind != Kind::branch_started || !is_child(scope.task, record.task) || scope_of(record) != scope.op) continue;
      branch = scope.branches.emplace(number, BranchTotals{record.task, record.name}).first;
      branch->second.began_us = record.at_us;
    }
    add(branch->second, record);
    if (record.kind == Kind::branch_done && is_child(scope.task, record.task)) branch->second.ended_us = record.at_us;
    return true;
  }
  return false;
}

bool BranchGatherer::passes(const journal::RunRecord& one, std::vector<BranchTotals>& totals) {
  const Record& record = one.record;
  auto run = runs_.find(one.run);
  if (run != runs_.end()) {
    if (count(run->second, record)) return false;
    Scopes& scopes = run->second;
    auto same = [&](const Scope& scope) { return scope.task == record.task && scope.op == record.op; };
    auto joined = record.kind == Kind::branch_joined ? std::find_if(scopes.begin(), scopes.end(), same) : scopes.end();
    if (joined != scopes.end()) {
      for (auto& [number, branch] : joined->branches) totals.push_back(std::move(branch));
      scopes.erase(joined);
    }
    // A run that is over or taken back has no open scopes.
    if (scopes.empty() || record.kind == Kind::run_done || record.kind == Kind::rollback) runs_.erase(run);
  }
  if (record.kind == Kind::scope_opened) runs_[one.run].push_back({record.task, record.op, {}});
  return true;
}

}  // namespace perilune::hooks
