// Which question of a run an answer is for, as the run's journal tells it: for runs that nobody executes, and for the words when a
// live run refuses an answer. Uses journal/waits.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/journal/record.hpp"

namespace perilune::engine {

// The record that opened question `number` (0 = the only one that is open) of run `run`. `living`: its records that count.
// Errors: "usage": none such is open, which says what is open, or how it was answered; or several are.
Result<journal::Record> find_question(const std::string& run, const std::vector<journal::Record>& living, uint64_t number);

}  // namespace perilune::engine
