// Retry decisions: see retry.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/retry.hpp"

#include <algorithm>
#include <cmath>

namespace perilune::flow {

bool may_retry(const RetryPolicy& policy, const Error& error, int attempt) {
  if (attempt >= policy.attempts || !error.retry || never_retried(error.code)) return false;
  auto has = [&](const std::vector<std::string>& codes) {
    return std::find(codes.begin(), codes.end(), error.code) != codes.end();
  };
  return (policy.on.empty() || has(policy.on)) && !has(policy.unless);
}

int64_t retry_delay_us(const RetryPolicy& policy, const Error& error, int attempt, Random& random) {
  double delay_us = static_cast<double>(policy.backoff_us) * std::pow(policy.factor, attempt - 1);
  delay_us = std::min(delay_us, static_cast<double>(policy.max_us));
  delay_us *= 1 + policy.jitter * (2 * random.uniform() - 1);
  delay_us = std::min(delay_us, static_cast<double>(policy.max_us));
  if (error.retry_after_s >= 0) delay_us = std::max(delay_us, error.retry_after_s * 1e6);
  return static_cast<int64_t>(std::min(delay_us, 1e15));
}

}  // namespace perilune::flow
