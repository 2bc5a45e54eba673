// Exit codes that scripts can use, and the one place that maps errors and statuses to them.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/error.hpp"
#include "runtime/store/store.hpp"

namespace perilune::cli {

inline constexpr int k_exit_ok = 0;       // completed
inline constexpr int k_exit_failed = 1;   // failed or cancelled
inline constexpr int k_exit_usage = 2;    // the command line or the configuration
inline constexpr int k_exit_invalid = 3;  // the input or the script
inline constexpr int k_exit_left = 4;     // left waiting or paused: it can be resumed
inline constexpr int k_exit_damaged = 65;
inline constexpr int k_exit_storage = 74;
inline constexpr int k_exit_owned = 75;  // by another process
inline constexpr int k_exit_newer_schema = 78;

// Of something that could not be done at all (no run of this process has ended by it).
int exit_code_of(const Error& error);
// Of a run in the state it was left in. A run that is not over because the store failed has the store's code.
int exit_code_of(store::Status status, const Error* error);

}  // namespace perilune::cli
