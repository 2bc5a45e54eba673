// checkpoint(name): a named restore point, awaited until it is committed. Hooks may have it left out.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/gated.hpp"

namespace perilune::flow {

class Checkpoint final : public Gated {
 public:
  // `decided`: by the script's hooks, or null.
  Checkpoint(Execution& execution, std::string name, std::shared_ptr<const hooks::Decision> decided = nullptr)
      : Gated(execution, std::move(name), 0), decided_(std::move(decided)) {}
  const char* call() const override { return "checkpoint"; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::checkpoint || kind == journal::Kind::step_skipped || kind == journal::Kind::step_failed;
  }
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override { return "checkpoint '" + name() + "'"; }

 private:
  hooks::Point point() const override { return hooks::Point::checkpoint_before; }
  HookGate::Question question() const override;
  const hooks::Decision* decided() const override { return decided_.get(); }
  void passed(HookGate::Pass pass) override;

  std::shared_ptr<const hooks::Decision> decided_;
};

}  // namespace perilune::flow
