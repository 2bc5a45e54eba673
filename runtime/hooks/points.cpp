// The table of points; see points.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/points.hpp"

#include <iterator>

namespace perilune::hooks {
namespace {

using Names = std::string_view;

constexpr Field k_common[] = {
    {"point", "string", "the point's name, or the own event's"},
    {"run", "object", "the run it happens in, see below"},
};
constexpr Field k_run[] = {
    {"id", "string", "the run's id"},
    {"workflow", "string", "its workflow"},
    {"version", "integer", "the workflow's version"},
    {"input", "any", "its input"},
    {"session", "string?", "the session it was started in"},
    {"parent", "string?", "the run whose child it is"},
};

constexpr Field k_output[] = {{"output", "any", "what the run gives"}};
constexpr Field k_run_error[] = {{"error", "object", "why: an error object"}};
constexpr Field k_pause[] = {{"error", "object?", "why it is paused; not there when an operator paused it"}};

constexpr Field k_step_before[] = {
    {"step", "string", "the step's name; of an effect outside of steps its function, as in `shell.run`"},
    {"input", "any", "its option `input`; of an effect the list of its arguments"},
};
constexpr Field k_step_after[] = {
    {"step", "string", "the step's name"},
    {"input", "any", "its input, as it was replaced, too"},
    {"result", "any", "what it gave"},
    {"attempts", "integer", "attempts that it took"},
    {"duration_ms", "number", "from the first attempt to the record of its end"},
};
constexpr Field k_step_retry[] = {
    {"step", "string", "the step's name"},
    {"attempt", "integer", "the attempt that failed"},
    {"error", "object", "what it failed with"},
};
constexpr Field k_step_fail[] = {
    {"step", "string", "the step's name"},
    {"input", "any", "its input"},
    {"error", "object", "what the last attempt failed with"},
    {"attempts", "integer", "attempts that were made"},
    {"duration_ms", "number", "of the last attempt"},
};
constexpr Field k_step_skip[] = {
    {"step", "string", "the step's name"},
    {"result", "any", "what it gives in place of a result: nil, or what a hook said"},
    {"by", "string", "`when`, or the hook that said so"},
};
constexpr Field k_decide[] = {
    {"decision", "string", "its name"},
    {"value", "any", "the value; of branch() the label"},
};
constexpr Field k_loop[] = {{"loop", "string", "the loop's name"}};
constexpr Field k_iteration[] = {
    {"loop", "string", "the loop's name"},
    {"iteration", "integer", "which one begins, from 1"},
};
constexpr Field k_loop_end[] = {
    {"loop", "string", "the loop's name"},
    {"iterations", "integer", "how many it has had"},
    {"value", "any", "what it gives"},
};
constexpr Field k_parallel_start[] = {
    {"name", "string", "of the call, or `parallel`, `race`, `map`"},
    {"branches", "integer", "how many it has"},
};
constexpr Field k_branch[] = {
    {"name", "string", "of the call, or `parallel`, `race`, `map`"},
    {"branch", "any", "the key of the branch that has ended"},
    {"status", "string", "`done`, `failed` or `cancelled`"},
    {"error", "object?", "of one that failed"},
};
constexpr Field k_join[] = {
    {"name", "string", "of the call, or `parallel`, `race`, `map`"},
    {"info", "object", "reason, done, failed, cancelled, total, order: as parallel gives it"},
};
constexpr Field k_compensate_before[] = {
    {"step", "string", "the compensation's name"},
    {"input", "any", "what it is called with: the result that it undoes"},
};
constexpr Field k_compensate_after[] = {{"step", "string", "the compensation's name"}};
constexpr Field k_rollback[] = {{"to", "string?", "the checkpoint it goes back to; all, without one"}};
constexpr Field k_checkpoint[] = {{"checkpoint", "string", "its name"}};
constexpr Field k_state[] = {{"changes", "object", "the keys that have changed, with their values"}};
constexpr Field k_sent[] = {
    {"signal", "string", "its name"},
    {"to", "string", "the run that gets it"},
};
constexpr Field k_received[] = {
    {"signal", "string", "its name"},
    {"value", "any", "what came with it"},
};
constexpr Field k_opened[] = {{"question", "string", "what is asked"}, {"to", "string?", "whom"}};
constexpr Field k_answered[] = {{"question", "string", "what was asked"}, {"answer", "any", "what was said"}};
constexpr Field k_child_start[] = {
    {"workflow", "string", "the workflow that is called"},
    {"child", "string", "the id of its run"},
};
constexpr Field k_child_end[] = {
    {"workflow", "string", "the workflow that was called"},
    {"result", "any", "its output"},
    {"error", "object?", "why it failed"},
};
constexpr Field k_stream[] = {{"stream", "string", "its name"}};
constexpr Field k_stream_item[] = {{"stream", "string", "its name"}, {"item", "any", "the item"}};
constexpr Field k_agent[] = {{"agent", "string", "its name"}};
constexpr Field k_llm[] = {{"model", "string", "its name"}, {"input", "object", "the request"}};
constexpr Field k_llm_after[] = {{"model", "string", "its name"}, {"result", "object", "the answer"}};
constexpr Field k_tool[] = {{"tool", "string", "its name"}, {"input", "object", "its arguments"}};
constexpr Field k_tool_after[] = {{"tool", "string", "its name"}, {"result", "any", "what it gave"}};
constexpr Field k_error[] = {
    {"step", "string", "the step, or the effect's function"},
    {"error", "object", "the error that is about to be raised"},
};

constexpr Names k_input[] = {"input"};
constexpr Names k_input_value[] = {"input", "value"};
constexpr Names k_replace_error[] = {"error"};

constexpr Replies k_none = 0;
constexpr Replies k_before =
    one(Reply::skip) | one(Reply::replace) | one(Reply::deny) | one(Reply::delay) | one(Reply::redirect);
constexpr Replies k_before_checkpoint = one(Reply::skip) | one(Reply::deny) | one(Reply::delay);
constexpr Replies k_fail = one(Reply::retry) | one(Reply::resolve);
constexpr Replies k_on_error = one(Reply::replace) | one(Reply::suppress) | one(Reply::escalate);

constexpr auto k_all = Listeners::all;
constexpr auto k_outside = Listeners::outside;
constexpr auto k_nobody = Listeners::nobody;

// In the order of the enumeration.
constexpr PointRow k_points[] = {
    {Point::run_start, Family::run, "run.start", "the run begins", {}, k_none, {}, k_outside, ""},
    {Point::run_resume, Family::run, "run.resume", "a process takes up a run that was begun before", {}, k_none, {}, k_outside, ""},
    {Point::run_complete, Family::run, "run.complete", "the run has completed", k_output, k_none, {}, k_outside, ""},
    {Point::run_fail, Family::run, "run.fail", "the run has failed", k_run_error, k_none, {}, k_outside,
     ""},
    {Point::run_cancel, Family::run, "run.cancel", "the run was cancelled", k_run_error, k_none, {}, k_outside,
     ""},
    {Point::run_pause, Family::run, "run.pause", "the run is paused", k_pause, k_none, {}, k_outside, ""},
    {Point::step_before, Family::step, "step.before", "a step is about to begin", k_step_before, k_before, k_input, k_all, ""},
    {Point::step_after, Family::step, "step.after", "a step has ended well", k_step_after, k_none, {}, k_all, ""},
    {Point::step_retry, Family::step, "step.retry", "an attempt has failed and another follows", k_step_retry, k_none, {}, k_all,
     "in a script: told when the step has ended, once for each such attempt"},
    {Point::step_fail, Family::step, "step.fail", "a step has failed for good", k_step_fail, k_fail, {}, k_all, ""},
    {Point::step_skip, Family::step, "step.skip", "a step was skipped", k_step_skip, k_none, {}, k_all, ""},
    {Point::decide_before, Family::decide, "decide.before", "a decision is about to be recorded", k_decide, k_before, k_input_value, k_nobody,
     "`skip(v)`, `replace{value=v}` and `replace{input=v}` all make v the decision's value"},
    {Point::decide_after, Family::decide, "decide.after", "a decision is recorded", k_decide, k_none, {}, k_nobody, ""},
    {Point::loop_start, Family::loop, "loop.start", "a loop begins", k_loop, k_none, {}, k_nobody, ""},
    {Point::loop_iteration, Family::loop, "loop.iteration", "an iteration begins", k_iteration, k_none, {}, k_nobody, ""},
    {Point::loop_end, Family::loop, "loop.end", "a loop has ended well", k_loop_end, k_none, {}, k_nobody, ""},
    {Point::parallel_start, Family::parallel, "parallel.start", "parallel, race or map begins", k_parallel_start, k_none, {}, k_nobody, ""},
    {Point::parallel_branch, Family::parallel, "parallel.branch", "a branch has ended", k_branch, k_none, {}, k_nobody,
     "in a script: told at the join, once for each branch, in the order in which they ended"},
    {Point::parallel_join, Family::parallel, "parallel.join", "all branches have been joined", k_join, k_none, {}, k_nobody, ""},
    {Point::compensate_before, Family::undo, "compensate.before", "a compensation is about to run", k_compensate_before, k_before, k_input, k_nobody, ""},
    {Point::compensate_after, Family::undo, "compensate.after", "a compensation has run", k_compensate_after, k_none, {}, k_nobody, ""},
    {Point::rollback, Family::undo, "rollback", "rollback() is about to undo, or an operator has rolled the run back", k_rollback, k_none, {}, k_nobody, ""},
    {Point::checkpoint_before, Family::state, "checkpoint.before", "a checkpoint is about to be recorded", k_checkpoint, k_before_checkpoint, {}, k_nobody,
     "it has no input to replace and does nothing that a workflow could do instead"},
    {Point::checkpoint_after, Family::state, "checkpoint.after", "a checkpoint is recorded", k_checkpoint, k_none, {}, k_nobody, ""},
    {Point::state_change, Family::state, "state.change", "the run's state has changed", k_state, k_none, {}, k_nobody, ""},
    {Point::signal_sent, Family::talk, "signal.sent", "a signal was sent by the run", k_sent, k_none, {}, k_nobody, ""},
    {Point::signal_received, Family::talk, "signal.received", "a signal has come", k_received, k_none, {}, k_nobody,
     "in a script: when receive() takes it"},
    {Point::ask_opened, Family::talk, "ask.opened", "a question was asked", k_opened, k_none, {}, k_nobody, ""},
    {Point::ask_answered, Family::talk, "ask.answered", "a question was answered", k_answered, k_none, {}, k_nobody, ""},
    {Point::child_start, Family::talk, "child.start", "another run was begun by call or start", k_child_start, k_none, {}, k_nobody, ""},
    {Point::child_end, Family::talk, "child.end", "a run that is waited for has ended", k_child_end, k_none, {}, k_nobody, ""},
    {Point::stream_start, Family::stream, "stream.start", "a stream begins", k_stream, k_none, {}, k_nobody, ""},
    {Point::stream_item, Family::stream, "stream.item", "an item goes through", k_stream_item, k_none, {}, k_nobody, ""},
    {Point::stream_pressure, Family::stream, "stream.pressure", "a slow sink holds the source back", k_stream, k_none, {}, k_nobody, ""},
    {Point::stream_end, Family::stream, "stream.end", "a stream has ended", k_stream, k_none, {}, k_nobody, ""},
    {Point::agent_start, Family::agent, "agent.start", "an agent begins", k_agent, k_none, {}, k_nobody, ""},
    {Point::llm_before, Family::agent, "llm.before", "a model is about to be asked", k_llm, k_before, k_input, k_nobody, ""},
    {Point::llm_after, Family::agent, "llm.after", "a model has answered", k_llm_after, k_none, {}, k_nobody, ""},
    {Point::tool_before, Family::agent, "tool.before", "a tool is about to be called", k_tool, k_before, k_input, k_nobody, ""},
    {Point::tool_after, Family::agent, "tool.after", "a tool has answered", k_tool_after, k_none, {}, k_nobody, ""},
    {Point::agent_end, Family::agent, "agent.end", "an agent has ended", k_agent, k_none, {}, k_nobody, ""},
    {Point::error, Family::error, "error", "a step or an effect has failed for good and its error is about to be raised", k_error,
     k_on_error, k_replace_error, k_all, "after step.fail, when that has not mended it; `suppress(v)` gives v (nil) in place of the error, "
     "`escalate()` fails the run with it: nothing can catch it"},
};

constexpr bool table_is_in_order() {
  for (size_t i = 0; i < std::size(k_points); ++i)
    if (static_cast<size_t>(k_points[i].point) != i) return false;
  return std::size(k_points) == k_points_count;
}
static_assert(table_is_in_order(), "k_points is looked up by number");

struct ReplyRow {
  Reply reply;
  std::string_view name;
  const char* shown;
};
constexpr ReplyRow k_replies[] = {
    {Reply::none, "none", ""},
    {Reply::skip, "skip", "skip(result)"},
    {Reply::replace, "replace", ""},   // its keys are the point's
    {Reply::deny, "deny", "deny(reason)"},
    {Reply::delay, "delay", "delay(duration)"},
    {Reply::redirect, "redirect", "redirect(workflow)"},
    {Reply::retry, "retry", "retry{after=, input=}"},
    {Reply::resolve, "resolve", "resolve(result)"},
    {Reply::suppress, "suppress", "suppress(value)"},
    {Reply::escalate, "escalate", "escalate()"},
};

constexpr std::string_view k_families[] = {"run",  "step", "decide", "loop",  "parallel", "undo",
                                           "state", "talk", "stream", "agent", "error",    "own"};

}  // namespace

std::span<const PointRow> points() { return k_points; }
const PointRow& row_of(Point point) { return k_points[static_cast<size_t>(point)]; }
std::span<const Field> common_fields() { return k_common; }
std::span<const Field> run_fields() { return k_run; }

std::string_view reply_name(Reply reply) { return k_replies[static_cast<size_t>(reply)].name; }
std::string_view family_name(Family family) { return k_families[static_cast<size_t>(family)]; }

std::optional<Reply> reply_named(std::string_view name) {
  for (const ReplyRow& row : k_replies)
    if (row.name == name && row.reply != Reply::none) return row.reply;
  return std::nullopt;
}

std::string replies_text(const PointRow& row) {
  std::string text;
  for (const ReplyRow& reply : k_replies) {
    if (reply.reply == Reply::none || !row.allows(reply.reply)) continue;
    if (!text.empty()) text += ", ";
    if (reply.reply != Reply::replace) {
      text += reply.shown;
      continue;
    }
    text += "replace{";
    for (size_t i = 0; i < row.replaces.size(); ++i) text.append(i > 0 ? ", " : "").append(row.replaces[i]).append("=");
    text += "}";
  }
  return text;
}

}  // namespace perilune::hooks
