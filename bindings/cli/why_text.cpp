// An explanation in words and as JSON; see why.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/json_text.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/wait_text.hpp"
#include "bindings/cli/why.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

namespace perilune::cli {

using Standing = Explanation::Standing;

namespace {

std::string standing_text(const Explanation& of) {
  std::string status(store::status_name(of.row.status));
  std::string since = ", since " + clock_time(of.row.updated_us);
  switch (of.standing) {
    case Standing::over: return "is " + status + since + ": it waits for nothing";
    case Standing::stuck: return "is " + status + since + ": it does not go on by itself";
    case Standing::paused: return "is paused" + since + ", until somebody resumes it";
    case Standing::executed: return "is " + status + "; process " + std::to_string(of.owner) + " executes it";
    case Standing::unasked: return "is " + status + "; process " + std::to_string(of.owner) + " has the store, and does not say whether it executes it";
    case Standing::idle: return "is " + status + ", but no process executes it: process " + std::to_string(of.owner) + ", which has the store, does not";
    case Standing::interrupted: break;
  }
  return "is " + status + ", but no process executes it: the last one ended behind record " + std::to_string(of.row.last_seq) + " of " +
         clock_time(of.row.updated_us);
}

std::string cause_text(const Cause& cause) {
  switch (cause.kind) {
    case Cause::Kind::wait: return wait_text(cause.wait);
    case Cause::Kind::step:
      return "step " + printable(cause.name) + (cause.attempt > 0 ? " (attempt " + std::to_string(cause.attempt) + ")" : "") + " is under way";
    case Cause::Kind::limit:
      return printable(cause.name) + ": " + std::to_string(cause.total - cause.begun) + " of " + std::to_string(cause.total) +
             " branches wait for a free place, " + std::to_string(cause.begun - cause.over) + " are under way";
    case Cause::Kind::script: break;
  }
  return "its script is running, or a step that has just begun";
}

bool goes_on(Standing standing) { return standing == Standing::executed || standing == Standing::unasked; }

std::string moved_text(const Cause& cause, Standing standing) {
  std::string text = printable(cause.moved_by);
  if (cause.kind == Cause::Kind::wait && cause.wait.due_us != 0) {
    std::string at = clock_time(cause.wait.due_us);
    bool other = cause.wait.what != journal::Wait::For::timer && cause.wait.what != journal::Wait::For::retry;
    text += other ? ", or the time-out at " + at : ", at " + at;
  }
  if (!goes_on(standing)) text += ", once it is resumed";
  return text;
}

void add_text(std::string& text, const Explanation& of, const std::string& indent) {
  text += indent + "run " + printable(of.row.id) + " (" + printable(of.row.workflow) + ") ";
  if (of.circle) {
    text += "stands further up: they wait for each other\n";
    return;
  }
  text += standing_text(of) + "\n";
  if (!of.row.error.empty()) text += indent + "  error: " + printable(one_line(error_from_json_text(of.row.error))) + "\n";
  for (const Cause& cause : of.causes) {
    text += indent + "  " + cause_text(cause) + ", since " + clock_time(cause.since_us) + "\n";
    text += indent + "    moved by: " + moved_text(cause, of.standing) + "\n";
    if (!cause.command.empty()) text += indent + "      " + printable(cause.command) + "\n";
    if (cause.run != nullptr) add_text(text, *cause.run, indent + "    ");
  }
  if (of.standing == Standing::over || of.standing == Standing::executed || of.standing == Standing::unasked) return;
  if (!of.acts.empty()) text += indent + "  open:\n" + acts_text(of.acts, indent + "    ");
}

std::string_view kind_name(const Cause& cause) {
  switch (cause.kind) {
    case Cause::Kind::wait: return journal::wait_name(cause.wait.what);
    case Cause::Kind::step: return "step";
    case Cause::Kind::limit: return "limit";
    case Cause::Kind::script: break;
  }
  return "script";
}

void add_time(JsonText& json, std::string_view key, int64_t at_us) {
  json.key(key).text_or_null(at_us == 0 ? std::string() : rfc3339(at_us));
}

void add_json(JsonText& json, const Explanation& of);

void add_cause(JsonText& json, const Cause& cause) {
  json.open_object().key("for").text(kind_name(cause)).key("name").text(cause.name);
  add_time(json, "since", cause.since_us);
  add_time(json, "due", cause.kind == Cause::Kind::wait ? cause.wait.due_us : 0);
  json.key("task").text_or_null(cause.task).key("op").number(cause.op);
  json.key("moved_by").text(cause.moved_by).key("command").text_or_null(cause.command);
  if (cause.kind == Cause::Kind::limit)
    json.key("begun").number(static_cast<int64_t>(cause.begun)).key("over").number(static_cast<int64_t>(cause.over)).key("total").number(static_cast<int64_t>(cause.total));
  if (cause.kind == Cause::Kind::wait && cause.wait.what == journal::Wait::For::lock) {
    json.key("holder");
    if (cause.holder_run.empty()) json.null();
    else json.open_object().key("run").text(cause.holder_run).key("task").text(cause.holder_task).close_object();
  }
  if (cause.kind == Cause::Kind::wait && cause.wait.what == journal::Wait::For::retry)
    json.key("attempt").number(cause.wait.attempt).key("error").recorded(cause.wait.error);
  json.key("run");
  if (cause.run != nullptr) add_json(json, *cause.run);
  else json.text_or_null(cause.wait.run);
  json.close_object();
}

void add_json(JsonText& json, const Explanation& of) {
  json.open_object().key("run").text(of.row.id).key("workflow").text(of.row.workflow);
  json.key("status").text(store::status_name(of.row.status)).key("standing").text(standing_name(of.standing));
  json.key("circle").boolean(of.circle).key("owner");
  if (of.owner != 0) json.number(of.owner);
  else json.null();
  json.key("records").number(static_cast<int64_t>(of.row.last_seq));
  add_time(json, "updated_at", of.row.updated_us);
  json.key("error").recorded(of.row.error).key("causes").open_array();
  for (const Cause& cause : of.causes) add_cause(json, cause);
  json.close_array().key("acts").open_array();
  for (const OfferedAct& act : of.acts)
    json.open_object().key("verb").text(act.verb).key("command").text(act.command).key("does").text(act.does).close_object();
  json.close_array().close_object();
}

}  // namespace

std::string explanation_text(const Explanation& explanation) {
  std::string text;
  add_text(text, explanation, "");
  return text;
}

std::string explanation_json(const Explanation& explanation) {
  JsonText json;
  add_json(json, explanation);
  return json.take();
}

}  // namespace perilune::cli
