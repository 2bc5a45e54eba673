// The points of a run's life at which hooks are called, as data: what each is called, what its event says, what a hook may
// return there, who may listen. Dispatch, the checks of results, docs/hooks.md and the editor's types are made from this
// table and from nothing else. Uses base.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace perilune::hooks {

enum class Family : uint8_t { run, step, decide, loop, parallel, undo, state, talk, stream, agent, error, own };

enum class Point : uint8_t {
  run_start, run_resume, run_complete, run_fail, run_cancel, run_pause,
  step_before, step_after, step_retry, step_fail, step_skip,
  decide_before, decide_after,
  loop_start, loop_iteration, loop_end,
  parallel_start, parallel_branch, parallel_join,
  compensate_before, compensate_after, rollback,
  checkpoint_before, checkpoint_after, state_change,
  signal_sent, signal_received, ask_opened, ask_answered, child_start, child_end,
  stream_start, stream_item, stream_pressure, stream_end,
  agent_start, llm_before, llm_after, tool_before, tool_after, agent_end,
  error,
  own,               // a script's own event: emit("order.paid")
};
constexpr size_t k_points_count = static_cast<size_t>(Point::own);   // `own` has no row

// What a hook may return.
enum class Reply : uint8_t { none, skip, replace, deny, delay, redirect, retry, resolve, suppress, escalate };
using Replies = uint16_t;
constexpr Replies one(Reply reply) { return static_cast<Replies>(1u << static_cast<unsigned>(reply)); }

// Who may listen at a point.
enum class Listeners : uint8_t {
  all,               // hooks in scripts, hook files, C++
  outside,           // hook files and C++: no script runs then, or none that could repeat it
  nobody,            // nothing meets the point yet
};

struct Field {
  const char* name;
  const char* type;  // as schemas say it; a trailing ? = not always there
  const char* text;
};

struct PointRow {
  Point point;
  Family family;
  const char* name;               // "step.before"
  const char* text;               // when it is met
  std::span<const Field> fields;  // beside `point` and `run`, which every event has
  Replies replies;                // 0: what a hook returns is an error
  std::span<const std::string_view> replaces;   // what replace{...} may name there
  Listeners listeners;
  const char* note;               // of the docs: what else to know, or ""

  bool decides() const { return replies != 0; }
  bool allows(Reply reply) const { return (replies & one(reply)) != 0; }
};

std::span<const PointRow> points();               // in the order of the enumeration
const PointRow& row_of(Point point);              // not of `own`
std::span<const Field> common_fields();           // of every event
std::span<const Field> run_fields();              // of its `run`

std::string_view reply_name(Reply reply);
std::optional<Reply> reply_named(std::string_view name);   // not of `none`
// "skip(result), replace{input=}, deny(reason)", or "" where none is allowed.
std::string replies_text(const PointRow& row);

std::string_view family_name(Family family);

// The points that a pattern means ("step.before", "step.*", "*"), or, with an empty list, that it names events of scripts
// ("order.paid", "order.*"). Errors (code "usage"): no such point (with the nearest), nothing meets it yet, or scripts can't
// listen there.
Result<std::vector<Point>> points_matching(std::string_view pattern, bool in_script);
// Whether an event of that name is met by a pattern of the second kind.
bool matches_own(std::string_view pattern, std::string_view event);
// Errors (code "usage") when it is no name of a script's own event: it has a dot, and is of no family of the table.
Result<void> check_own_name(std::string_view name);

}  // namespace perilune::hooks
