// The scope of the compensations that an operator's rollback runs. For execution*.cpp alone.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

class Execution::RollbackScope final : public task::Scope {
 public:
  explicit RollbackScope(Execution& execution) : execution_(execution) {}
  void child_ended(task::Task&) override { execution_.end_rollback(); }

 private:
  Execution& execution_;
};

}  // namespace perilune::flow
