// What an engine is told: limits and defaults. Each has a name in perilune.json (docs/configuration.md).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/flow/retry.hpp"

namespace perilune::engine {

struct Settings {
  int64_t cpu_us = 10'000'000;             // limits.cpu: of a script between durable calls
  size_t memory_bytes = 256u << 20;        // limits.memory: of one run's Lua state
  size_t payload_bytes = 64u << 20;        // limits.payload: of one value
  int64_t evict_after_us = 5'000'000;      // limits.evict_after: a run that sleeps longer leaves memory
  int64_t timeout_us = 3'600'000'000;      // workflow.timeout_seconds: of running time, when the workflow names none
  int64_t hook_timeout_us = 10'000'000;    // hooks.timeout: of one call of a hook of a file
  flow::RetryPolicy retry;                 // workflow.max_retry_attempts and the defaults of the script API
};

}  // namespace perilune::engine
