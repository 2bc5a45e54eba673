// A durable call that hooks from outside may decide on before it is recorded, and that does nothing else: decide, checkpoint.
// Uses hook_gate.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/flow/hook_gate.hpp"

namespace perilune::flow {

class Gated : public Durable {
 public:
  using Durable::Durable;
  ~Gated() override;

 protected:
  // What the hooks are asked, and what the script's own have decided already, or null.
  virtual hooks::Point point() const = 0;
  virtual HookGate::Question question() const = 0;
  virtual const hooks::Decision* decided() const { return nullptr; }
  // The gate is behind it: `pass` says how it goes on, never as cancelled.
  virtual void passed(HookGate::Pass pass) = 0;

 private:
  void start() final;
  void teardown(const task::ErrorRef& reason) final;
  void cancelled_early() final;
  void behind(HookGate::Pass pass);
  void make_gate();

  std::unique_ptr<HookGate> gate_;   // while it is passed
};

}  // namespace perilune::flow
