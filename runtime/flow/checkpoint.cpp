// See checkpoint.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/checkpoint.hpp"

#include "runtime/flow/branch.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;

HookGate::Question Checkpoint::question() const {
  return {point(), 0, "\"checkpoint\":" + label_of(name()), {}, ""};
}

void Checkpoint::passed(HookGate::Pass pass) {
  using How = HookGate::Pass::How;
  if (pass.how == How::error) return record(Kind::step_failed, journal::with_error({}, to_json_text(pass.error)));
  if (pass.how == How::result) return record(Kind::step_skipped, journal::with_value({0, 0, "\"by\":" + label_of(pass.by)}, {}));
  record(Kind::checkpoint, journal::with_value({}, {}));
}

task::Outcome Checkpoint::delivered(const journal::Record& record) {
  if (record.kind == Kind::step_failed) return Durable::delivered(record);
  if (record.kind == Kind::checkpoint) execution_.mark_checkpoint(name());
  return record.kind == Kind::op_cancelled ? Durable::delivered(record) : task::Outcome{};
}

}  // namespace perilune::flow
