// perilune status: one screen on where a run stands: what it does or waits for, since when, what went wrong last, and
// what can be done. SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/open_acts.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_state.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/wait_text.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/flow/state_records.hpp"

namespace perilune::cli {

using store::RunRow;
using store::Status;

namespace {

constexpr size_t k_lines_shown = 20;
constexpr int k_state_columns = 400;

struct Standing {
  RunRow row;
  RunState state;
  std::string script_state;  // JSON object: what the script has set
  int64_t owner = 0;  // pid
  bool relaxed = false;
  std::vector<std::string> next;
  std::vector<OfferedAct> acts;

  bool over() const { return store::is_final(row.status) || row.status == Status::diverged; }
  bool quarantined() const { return row.status == Status::quarantined; }
  bool interrupted() const { return !over() && !quarantined() && owner == 0; }
};

const char* state_name(OpenOperation::State state) {
  switch (state) {
    case OpenOperation::State::running:
      return "running";
    case OpenOperation::State::retrying:
      return "retrying";
    case OpenOperation::State::given_up:
      break;
  }
  return "given_up";
}

std::string status_json(const Standing& standing) {
  const RunRow& row = standing.row;
  RunResult result = result_of(row);
  JsonText json;
  auto time = [&json](std::string_view key, int64_t at_us) {
    json.key(key).text_or_null(at_us == 0 ? std::string() : rfc3339(at_us));
  };
  json.open_object().key("run").text(row.id).key("workflow").text(row.workflow);
  json.key("status").text(store::status_name(row.status));
  json.key("interrupted").boolean(standing.interrupted());
  json.key("owner");
  if (standing.owner != 0)
    json.number(standing.owner);
  else
    json.null();
  json.key("durability").text(standing.relaxed ? "relaxed" : "full");
  json.key("operations").open_array();
  for (const OpenOperation* operation : standing.state.operations()) {
    json.open_object().key("name").text(operation->name).key("state").text(state_name(operation->state));
    json.key("attempt").number(operation->attempt);
    time("since", operation->since_us);
    time("due", operation->due_us);
    json.key("error").text_or_null(operation->error).close_object();
  }
  json.close_array();
  add_waits(json, standing.state.waits());
  json.key("branches").open_array();
  for (const OpenScope* scope : standing.state.scopes()) {
    json.open_object().key("call").text(scope->call).key("name").text(scope->name);
    json.key("done")
        .number(static_cast<int64_t>(scope->done))
        .key("failed")
        .number(static_cast<int64_t>(scope->failed));
    json.key("total").number(static_cast<int64_t>(scope->total)).close_object();
  }
  json.close_array();
  json.key("state").recorded(standing.script_state);
  json.key("steps_done").number(static_cast<int64_t>(standing.state.steps_done()));
  json.key("last_error").recorded(standing.state.last_error());
  json.key("error").raw(result.error == nullptr ? std::string() : to_json_text(*result.error));
  json.key("records").number(static_cast<int64_t>(row.last_seq));
  time("created_at", row.created_us);
  time("updated_at", row.updated_us);
  time("wake_at", row.wake_us);
  json.key("next").open_array();
  for (const std::string& command : standing.next) json.text(command);
  json.close_array().key("acts").open_array();
  for (const OfferedAct& act : standing.acts)
    json.open_object().key("verb").text(act.verb).key("command").text(act.command).key("does").text(act.does).close_object();
  return json.close_array().close_object().take();
}

std::string operation_text(const OpenOperation& operation) {
  std::string name = printable(operation.name);
  std::string attempt = operation.attempt > 0 ? " (attempt " + std::to_string(operation.attempt) + ")" : "";
  if (operation.state == OpenOperation::State::running)
    return "step " + name + attempt + ", since " + clock_time(operation.since_us);
  return name + attempt + " failed for good; a resume tries it again: " + printable(operation.error);
}

// What it does, then what it waits for.
std::vector<std::string> lines_of_now(const RunState& state) {
  std::vector<std::string> lines;
  for (const OpenOperation* operation : state.operations())
    if (operation->state != OpenOperation::State::retrying) lines.push_back(operation_text(*operation));
  for (const journal::Wait* wait : state.waits())
    lines.push_back(wait_text(*wait) + ", since " + clock_time(wait->since_us));
  return lines;
}

std::string status_line(const Standing& standing) {
  std::string text(store::status_name(standing.row.status));
  if (standing.quarantined()) return text + ": it is left alone, and other runs go on";
  if (standing.row.status == Status::paused) return text + ", since " + date_time(standing.row.updated_us);
  if (standing.interrupted()) return text + ", but no process executes it";
  if (!standing.over()) text += " in process " + std::to_string(standing.owner);
  return text + ", since " + date_time(standing.row.updated_us);
}

void print_status(const Standing& standing) {
  auto field = [](std::string_view name, const std::string& text) { print_out(padded(name, 10) + text + "\n"); };
  const RunRow& row = standing.row;
  field("run", printable(row.id) + "  " + printable(row.workflow));
  field("status", status_line(standing));
  if (standing.relaxed) field("store", "relaxed durability: the last commits may be lost when power fails");
  field("done", std::to_string(standing.state.steps_done()) + " steps, " + std::to_string(row.last_seq) + " records");
  for (const OpenScope* scope : standing.state.scopes())
    field("", scope->call + (scope->name == scope->call ? "" : " " + printable(scope->name)) + ": " +
                  std::to_string(scope->done) + " of " + std::to_string(scope->total) +
                  (scope->failed > 0 ? ", " + std::to_string(scope->failed) + " failed" : ""));
  std::vector<std::string> lines = lines_of_now(standing.state);
  for (size_t i = 0; i < lines.size() && i < k_lines_shown; ++i) field(i == 0 ? "now" : "", lines[i]);
  if (lines.size() > k_lines_shown) field("", "and " + std::to_string(lines.size() - k_lines_shown) + " more");
  if (standing.script_state != "{}") field("state", clipped(printable(standing.script_state), k_state_columns));
  if (!row.error.empty()) {
    field("error", printable(one_line(error_from_json_text(row.error))));
  } else if (!standing.state.last_error().empty()) {
    field("last error", printable(one_line(error_from_json_text(standing.state.last_error()))) + ", at " +
                            clock_time(standing.state.last_error_us()));
  }
  for (const std::string& command : standing.next) {
    bool offered = std::any_of(standing.acts.begin(), standing.acts.end(), [&](auto& act) { return act.command == command; });
    if (!offered) field("next", command);
  }
  if (!standing.acts.empty()) print_out("open\n" + acts_text(standing.acts, "  "));
}

std::vector<std::string> next_commands(const Standing& standing, const CommonOptions& options) {
  std::vector<std::string> commands;
  for (const journal::Wait* wait : standing.state.waits())
    if (wait->what == journal::Wait::For::answer)
      commands.push_back(answer_command(command(options, "answer", standing.row.id), *wait));
  if (standing.interrupted()) commands.push_back(command(options, "resume", standing.row.id));
  if (standing.interrupted()) commands.push_back(command(options, "cancel", standing.row.id));
  commands.push_back(command(options, "show", standing.row.id));
  return commands;
}

// What stands before the damage is what can be gone on from.
void cut_at_flaw(const StoreView& view, RunRow& row, std::vector<journal::Record>& records) {
  Result<store::Journal> journal = view.reader->journal(row);
  if (!journal.ok() || !journal->flaw) return;
  std::erase_if(records, [&](const journal::Record& record) { return record.seq >= journal->flaw->seq; });
  row.last_seq = records.empty() ? 0 : records.back().seq;
}

}  // namespace

int verb_status(const RunViewOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  auto records = view->reader->records(row->no, 1, 0);
  if (!records.ok()) return complain(records.error());
  if (row->status == Status::quarantined) cut_at_flaw(*view, *row, *records);
  Standing standing;
  standing.row = std::move(*row);
  engine::Finding finding(standing.row, *records);
  for (const journal::Record& record : finding.living) standing.state.apply(record);
  standing.script_state = flow::state_after(finding.living);
  if (!records->empty()) standing.acts = offered_acts(*view, finding, options);
  standing.owner = owner_of(*view);
  standing.relaxed = view->config.relaxed;
  standing.next = next_commands(standing, options);
  if (options.json)
    print_json(status_json(standing));
  else
    print_status(standing);
  return k_exit_ok;
}

}  // namespace perilune::cli
