// See decision.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/decision.hpp"

#include "runtime/flow/branch.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;

HookGate::Question Decision::question() const {
  return {point(), 0, "\"decision\":" + label_of(name()), value_, "value"};
}

void Decision::passed(HookGate::Pass pass) {
  using How = HookGate::Pass::How;
  if (pass.how == How::error) return record(Kind::step_failed, journal::with_error({}, to_json_text(pass.error)));
  if (!pass.value.empty()) value_ = std::move(pass.value);
  record(Kind::decision, journal::with_value({}, value_));
}

}  // namespace perilune::flow
