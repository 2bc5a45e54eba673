// What stands in for the world in tests of workflows: it is asked before each effect and each body of a step, and its
// answer takes their place. Promises of an answer: it comes on the loop, never inside the call, after its time, once.
// Uses loop and task; given to the engine by bindings/testing, nobody stands in otherwise.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/effects/effect.hpp"
#include "runtime/loop/loop.hpp"
#include "runtime/task/task.hpp"

namespace perilune::effects {

class StandIn {
 public:
  virtual ~StandIn() = default;
  // An effect ("http.get") with its arguments (a JSON array). There is always an answer: that may be an error.
  virtual std::unique_ptr<Effect> effect(const std::string& call, const std::string& arguments,
                                         const task::AttemptContext& attempt, Done<std::string> done) = 0;
  // An attempt of the step `name` begins. True: `body` gives what it comes to, false: its own body runs.
  virtual bool takes_over(const std::string& name, const task::AttemptContext& attempt) = 0;
  virtual std::unique_ptr<Effect> body(const std::string& name, const task::AttemptContext& attempt,
                                       Done<std::string> done) = 0;
};

// An answer (JSON text) as an effect that is in flight for `after_us` of the loop's time.
std::unique_ptr<Effect> play(loop::Loop& loop, Result<std::string> answer, int64_t after_us, Done<std::string> done);

}  // namespace perilune::effects
