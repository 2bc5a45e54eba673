// The gathering of a run's report; see run_report.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_report.hpp"

#include <algorithm>

#include "runtime/base/error.hpp"
#include "runtime/flow/gate.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;

namespace {

constexpr size_t k_spans_max = 10'000;
constexpr size_t k_undone_max = 1000;   // kept by name

std::string operation_of(const Record& record) { return record.task + "#" + std::to_string(record.op); }

}  // namespace

void CoveredTime::add(int64_t from_us, int64_t to_us) {
  if (to_us <= from_us) return;
  while (!spans_.empty() && spans_.back().second >= from_us) {
    from_us = std::min(from_us, spans_.back().first);
    to_us = std::max(to_us, spans_.back().second);
    spans_.pop_back();
  }
  spans_.emplace_back(from_us, to_us);
  if (spans_.size() < k_spans_max) return;
  auto old = spans_.begin() + k_spans_max / 2;
  for (auto span = spans_.begin(); span != old; ++span) before_us_ += span->second - span->first;
  spans_.erase(spans_.begin(), old);
}

int64_t CoveredTime::total_us() const {
  int64_t total_us = before_us_;
  for (const auto& [from_us, to_us] : spans_) total_us += to_us - from_us;
  return total_us;
}

RunReport::Steps* RunReport::steps_of(const Record& record) {
  if (!each_step_) return nullptr;
  auto [found, fresh] = by_name_.try_emplace(record.name, steps_.size());
  if (fresh) {
    steps_.emplace_back();
    steps_.back().name = record.name;
  }
  return &steps_[found->second];
}

// What an attempt took: from its begin, or from the end of the back-off before it.
void RunReport::work(const Record& record) {
  int64_t from_us = journal::number_of(record.data, "started");
  auto again = again_us_.find(operation_of(record));
  if (again != again_us_.end()) {
    from_us = std::max(from_us, again->second);
    again_us_.erase(again);
  }
  if (record.kind == Kind::attempt_failed) {
    int64_t retry_at_us = journal::number_of(record.data, "retry_at");
    if (retry_at_us != 0) again_us_[operation_of(record)] = retry_at_us;
  }
  if (from_us == 0) return;
  worked_.add(from_us, record.at_us);
  if (Steps* steps = steps_of(record)) steps->duration_us += std::max<int64_t>(0, record.at_us - from_us);
}

void RunReport::ended(const Record& record, int64_t Steps::*how) {
  int64_t attempts = journal::number_of(record.data, "attempt");   // none, where a hook gave the result
  for (Steps* steps : {&all_, steps_of(record)}) {
    if (steps == nullptr) continue;
    ++steps->count;
    ++(steps->*how);
    steps->attempts += attempts;
  }
  work(record);
}

void RunReport::undo(const Record& record, const std::string& error) {
  auto standing = std::find_if(undone_.begin(), undone_.end(),
                               [&](const Undone& one) { return !one.done && one.name == record.name; });
  if (standing != undone_.end()) undone_.erase(standing);   // it was tried again
  if (undone_.size() < k_undone_max) undone_.push_back({record.name, error.empty(), error});
  work(record);
}

void RunReport::judge(const Record& record) {
  flow::Verdict verdict = *flow::verdict_of(record);
  if (verdict.gate == flow::k_gate_rule) {
    auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& one) { return one.name == record.name; });
    if (rule == rules_.end()) rule = rules_.insert(rules_.end(), Rule{record.name, 0, 0, false, {}});
    if (!verdict.held) rule->message = verdict.message;
    rule->tallied = record.op == 0;   // what a run says at its end counts all, also what a loop has let go of
    rule->checked = verdict.checked;
    rule->broken = rule->tallied ? verdict.broken : rule->broken + 1;
    return;
  }
  if (verdict.held && !each_step_) return;
  auto [found, fresh] = by_gate_.try_emplace(verdict.gate + " " + record.name, gates_.size());
  if (fresh) gates_.push_back({verdict.gate, record.name, 0, 0, {}});
  Gate& gate = gates_[found->second];
  ++(verdict.held ? gate.held : gate.failed);
  if (!verdict.held) gate.message = verdict.message;
}

void RunReport::apply(const Record& record) {
  switch (record.kind) {
    case Kind::step_done:
      return ended(record, &Steps::done);
    case Kind::step_failed:
      return ended(record, &Steps::failed);
    case Kind::step_skipped:
      return ended(record, &Steps::skipped);
    case Kind::op_cancelled:
      if (by_name_.count(record.name) != 0 || again_us_.count(operation_of(record)) != 0) ended(record, &Steps::cancelled);
      return;
    case Kind::attempt_failed:
      if (record.data.find("\"since\":") < record.data.find("\"error\":"))   // of a compensation
        return undo(record, one_line(error_from_json_text(journal::error_of(record.data))));
      ++all_.retries;
      if (Steps* steps = steps_of(record)) ++steps->retries;
      return work(record);
    case Kind::step_started:
      (void)steps_of(record);   // known by name from now on
      return;
    case Kind::compensation_done:
      return undo(record, {});
    case Kind::gate:
      return judge(record);
    default:
      return;
  }
}

RunReport report_of(const std::vector<Record>& records) {
  RunReport report(true);
  for (const Record& record : journal::living(records)) report.apply(record);
  return report;
}

}  // namespace perilune::cli
