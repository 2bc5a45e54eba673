// See gated.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/gated.hpp"

#include <utility>

namespace perilune::flow {

Gated::~Gated() {
  if (gate_ != nullptr && !gate_->rests()) execution_.drop(*this);
}

void Gated::make_gate() {
  execution_.hold(*this);
  gate_ = std::make_unique<HookGate>(execution_, *this);
}

void Gated::start() {
  if (!HookGate::stands(execution_, *this, point(), decided())) return passed({});
  make_gate();
  gate_->pass(question(), decided(), [this](HookGate::Pass pass) { behind(std::move(pass)); });
}

void Gated::behind(HookGate::Pass pass) {
  std::unique_ptr<HookGate> done = std::move(gate_);   // it is calling
  execution_.drop(*this);
  if (pass.how == HookGate::Pass::How::cancelled) record_cancelled();
  else passed(std::move(pass));
}

void Gated::teardown(const task::ErrorRef& reason) {
  if (gate_ != nullptr) gate_->cancel(*reason);   // else its record is under way
}

void Gated::cancelled_early() {
  if (execution_.noted(task(), number(), journal::Kind::hook_decision)) {
    make_gate();
    if (gate_->cancel_redirected(question(), *cancel_cause(), [this](HookGate::Pass pass) { behind(std::move(pass)); })) return;
    gate_.reset();
    execution_.drop(*this);
  }
  record_cancelled();
}

}  // namespace perilune::flow
