// decide(name, value): a value of the script that is journaled, so that every picture of the run shows the branch taken.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/durable.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

class Decision final : public Durable {
 public:
  // `value` is JSON text. It is no part of the identity: what was decided stands, also when it would be another now.
  Decision(Execution& execution, std::string name, std::string value)
      : Durable(execution, std::move(name), 0), value_(std::move(value)) {}
  const char* call() const override { return "decide"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::decision; }
  std::string describe() const override { return "decision '" + name() + "'"; }

 private:
  void start() override { record(journal::Kind::decision, journal::with_value({}, value_)); }
  void teardown(const task::ErrorRef&) override {}   // its record is under way
  std::string value_;
};

}  // namespace perilune::flow
