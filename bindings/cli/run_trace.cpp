// See run_trace.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_trace.hpp"

#include <algorithm>
#include <map>

#include "bindings/cli/json_text.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;

namespace {

class Trace {
 public:
  Trace(const store::RunRow& row, int64_t began_us) : began_us_(began_us) {
    json_.open_object().key("displayTimeUnit").text("ms").key("traceEvents").open_array();
    name("process_name", 0, row.workflow + " " + row.id);
  }

  void bar(const Record& record, std::string_view name, std::string_view category, int64_t from_us, int64_t to_us) {
    open(record, name, category, "X", from_us);
    json_.key("dur").number(std::max<int64_t>(0, to_us - from_us));
    close(record);
  }

  void mark(const Record& record, std::string_view name, std::string_view category) {
    open(record, name, category, "i", record.at_us);
    json_.key("s").text("t");
    close(record);
  }

  std::string take() { return json_.close_array().close_object().take(); }

 private:
  void open(const Record& record, std::string_view name, std::string_view category, std::string_view phase, int64_t at_us) {
    int64_t row = row_of(record.task);
    json_.open_object().key("name").text(name).key("cat").text(category).key("ph").text(phase);
    json_.key("pid").number(1).key("tid").number(row).key("ts").number(std::max<int64_t>(0, at_us - began_us_));
  }
  void close(const Record& record) {
    json_.key("args").open_object().key("seq").number(static_cast<int64_t>(record.seq));
    json_.key("kind").text(journal::kind_name(record.kind));
    if (int64_t attempt = journal::number_of(record.data, "attempt"); attempt > 0) json_.key("attempt").number(attempt);
    if (journal::holds_error(record.data)) json_.key("error").recorded(journal::error_of(record.data));
    json_.close_object().close_object();
  }
  int64_t row_of(const std::string& task) {
    auto [found, fresh] = rows_.try_emplace(task, static_cast<int64_t>(rows_.size()));
    if (fresh) name("thread_name", found->second, task.empty() ? "run" : "task " + task);
    return found->second;
  }
  void name(std::string_view what, int64_t row, const std::string& text) {
    json_.open_object().key("name").text(what).key("ph").text("M").key("pid").number(1).key("tid").number(row);
    json_.key("args").open_object().key("name").text(text).close_object().close_object();
  }

  int64_t began_us_;
  JsonText json_;
  std::map<std::string, int64_t> rows_;
};

// When what a later record ends began: timers and branches.
using Begun = std::map<std::pair<std::string, uint32_t>, int64_t>;

void add(Trace& trace, const Record& record, Begun& begun) {
  int64_t started_us = journal::number_of(record.data, "started");
  if (started_us == 0) started_us = record.at_us;
  std::pair<std::string, uint32_t> call{record.task, record.op};
  switch (record.kind) {
    case Kind::step_done:
    case Kind::step_failed:
      return trace.bar(record, record.name, "step", started_us, record.at_us);
    case Kind::compensation_done:
      return trace.bar(record, record.name, "undo", started_us, record.at_us);
    case Kind::attempt_failed:
      return trace.bar(record, record.name + " (failed attempt)", "attempt", started_us, record.at_us);
    case Kind::timer_set:
    case Kind::wait_started:
    case Kind::ask_opened:
      begun.try_emplace(call, record.at_us);
      return;
    case Kind::timer_fired:
    case Kind::ask_answered:
    case Kind::child_done:
    case Kind::lock_granted:
      if (auto found = begun.find(call); found != begun.end()) started_us = found->second;
      return trace.bar(record, record.name, "wait", started_us, record.at_us);
    case Kind::branch_started:
      begun[{record.task, 0}] = record.at_us;
      return;
    case Kind::branch_done:
      if (auto found = begun.find({record.task, 0}); found != begun.end()) started_us = found->second;
      return trace.bar(record, record.name, "branch", started_us, record.at_us);
    case Kind::scope_opened:
      begun[call] = record.at_us;
      return;
    case Kind::branch_joined:
      if (auto found = begun.find(call); found != begun.end()) started_us = found->second;
      return trace.bar(record, record.name, "scope", started_us, record.at_us);
    case Kind::checkpoint:
    case Kind::decision:
    case Kind::signal:
    case Kind::step_skipped:
    case Kind::op_cancelled:
    case Kind::child_started:
    case Kind::paused:
    case Kind::resumed:
    case Kind::operator_act:
    case Kind::rollback:
      return trace.mark(record, record.name, journal::kind_name(record.kind));
    default:
      return;
  }
}

}  // namespace

std::string trace_json(const store::RunRow& row, const std::vector<Record>& living) {
  Trace trace(row, row.created_us);
  if (!living.empty()) trace.bar(living.front(), row.workflow, "run", living.front().at_us, living.back().at_us);
  Begun begun;
  for (const Record& record : living) add(trace, record, begun);
  return trace.take();
}

}  // namespace perilune::cli
