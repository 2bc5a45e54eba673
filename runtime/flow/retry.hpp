// When a step is tried again, and after how long.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"

namespace perilune::flow {

struct RetryPolicy {
  int attempts = 3;                    // counts the first one
  int64_t backoff_us = 1'000'000;      // before the second attempt
  double factor = 2;
  int64_t max_us = 60'000'000;
  double jitter = 0.2;                 // +- this share of the delay
  std::vector<std::string> on;         // codes that are retried; empty = all
  std::vector<std::string> unless;     // codes that are not
};

// By code and flags alone (functions `on` and `unless` are asked by the step).
bool may_retry(const RetryPolicy& policy, const Error& error, int attempt);
int64_t retry_delay_us(const RetryPolicy& policy, const Error& error, int attempt, Random& random);

}  // namespace perilune::flow
