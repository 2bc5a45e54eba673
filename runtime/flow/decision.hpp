// decide(name, value): a value of the script that is journaled, so that every picture of the run shows the branch taken. Hooks
// may put another value in its place.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/gated.hpp"

namespace perilune::flow {

class Decision final : public Gated {
 public:
  // `value` is JSON text. It is no part of the identity: what was decided stands, also when it would be another now.
  // `decided`: by the script's hooks, or null.
  Decision(Execution& execution, std::string name, std::string value, std::shared_ptr<const hooks::Decision> decided = nullptr)
      : Gated(execution, std::move(name), 0), value_(std::move(value)), decided_(std::move(decided)) {}
  const char* call() const override { return "decide"; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::decision || kind == journal::Kind::step_failed;
  }
  std::string describe() const override { return "decision '" + name() + "'"; }

 private:
  hooks::Point point() const override { return hooks::Point::decide_before; }
  HookGate::Question question() const override;
  const hooks::Decision* decided() const override { return decided_.get(); }
  void passed(HookGate::Pass pass) override;

  std::string value_;
  std::shared_ptr<const hooks::Decision> decided_;
};

}  // namespace perilune::flow
