// checkpoint(name): a named restore point, awaited until it is committed.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/durable.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

class Checkpoint final : public Durable {
 public:
  Checkpoint(Execution& execution, std::string name) : Durable(execution, std::move(name), 0) {}
  const char* call() const override { return "checkpoint"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::checkpoint; }
  task::Outcome delivered(const journal::Record&) override {
    execution_.mark_checkpoint(name(), task());
    return {};
  }
  std::string describe() const override { return "checkpoint '" + name() + "'"; }

 private:
  void start() override { record(journal::Kind::checkpoint, journal::with_value({}, {})); }
  void teardown(const task::ErrorRef&) override {}   // its record is under way
};

}  // namespace perilune::flow
