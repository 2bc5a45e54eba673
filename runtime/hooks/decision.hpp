// What the hooks at a point have decided: read from what a hook returned, put together when several have a say, and
// written to the journal and read back. Uses points.
//
// Several hooks at one point: `replace` and `delay` hold for those that come after; anything else ends the round.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/hooks/points.hpp"

namespace perilune::hooks {

struct Decision {
  Reply final = Reply::none;   // skip, deny, redirect, retry, resolve, suppress, escalate; none = it goes on
  bool failed = false;         // a hook failed: `error` says how; the step fails with it
  std::string value;           // JSON text: the result of skip, resolve and suppress, the value of a decision
  std::string input;           // JSON text: what replace or retry says, or empty
  std::string text;            // the reason of deny, the workflow of redirect
  std::string error;           // JSON text: of `failed`, or what replace{error=} says
  int64_t delay_us = 0;        // of delay, or of retry{after=}
  int round = 0;               // of a decision that was read back
  std::string by;              // whose it is: "script", the name of a hook file, "C++"

  bool nothing() const { return final == Reply::none && !failed && input.empty() && value.empty() && error.empty() && delay_us == 0; }
  bool ends_round() const { return final != Reply::none || failed; }
};

// What a hook returned, as the JSON text of {"result": "skip", "value": ...} (bindings make it), checked against the point.
// Errors (code "usage") say which results are allowed there.
Result<Decision> read_reply(Point point, std::string_view json);
// What comes of `decision` when the next hook of the round says `next`.
void add(Decision& decision, Decision next);

// A hook failed, and with it what it was asked about.
Decision failure(const Error& error, std::string by);
// The error of a `deny`.
Error denied(const Decision& decision);

// The data of a hook_decision record, and back. `round` tells the rounds at one point and operation apart (attempts made
// before it). Reading gives nothing for another point or round.
constexpr int k_any_round = -1;
std::string record_data(Point point, int round, const Decision& decision);
std::optional<Decision> decision_in(std::string_view data, Point point, int round);

// Who skipped a step: of the data of a step_skipped record.
std::string skipped_by(std::string_view data);
// A hook has said escalate() of it: of the data of a step_failed record.
bool escalated(std::string_view data);

}  // namespace perilune::hooks
