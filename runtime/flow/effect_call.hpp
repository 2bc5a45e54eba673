// An effect awaited inside a step's attempt, and the body of the step that an effect called outside of one becomes.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "runtime/effects/effect.hpp"
#include "runtime/flow/execution.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::flow {

// Starts the effect; the result is JSON text.
using StartEffect = std::function<std::unique_ptr<effects::Effect>(effects::Done<std::string>)>;

class EffectCall final : public task::Operation {
 public:
  EffectCall(Execution& execution, std::string what, StartEffect start)
      : execution_(execution), what_(std::move(what)), start_(std::move(start)) {}
  // True: the task's outcome is set already (it is being cancelled, or effects are not allowed here).
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  std::string describe() const override { return what_; }

 private:
  Execution& execution_;
  std::string what_;
  StartEffect start_;
  task::Task* task_ = nullptr;
  std::unique_ptr<effects::Effect> effect_;
};

// A task whose code is one effect.
std::unique_ptr<task::Coroutine> effect_task(Execution& execution, std::string what, StartEffect start);

// The code of a step whose body is one effect.
class EffectStep final : public StepCode {
 public:
  // `start` is called once an attempt, with the attempt.
  using Start = std::function<std::unique_ptr<effects::Effect>(const task::AttemptContext&, effects::Done<std::string>)>;
  EffectStep(Execution& execution, std::string what, Start start)
      : execution_(execution), what_(std::move(what)), start_(std::move(start)) {}
  std::unique_ptr<task::Coroutine> attempt(const task::AttemptContext& attempt) override;
  bool is_effect() const override { return true; }

 private:
  Execution& execution_;
  std::string what_;
  Start start_;
};

}  // namespace perilune::flow
