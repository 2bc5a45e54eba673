// Records as the events of the script API: "step.after charge", "compensate.after refund", "order.paid".
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/journal/record.hpp"

namespace perilune::testing {

// The point and the name of what it was about; empty for records that are no event.
std::string event_name(const journal::Record& record);

}  // namespace perilune::testing
