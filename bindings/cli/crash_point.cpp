// See crash_point.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/crash_point.hpp"

#include <csignal>
#include <cstdlib>

namespace perilune::cli {

CrashPoint::CrashPoint() {
  const char* text = std::getenv("PERILUNE_CRASH_AT");
  if (text == nullptr || *text < '1' || *text > '9') return;
  char* end = nullptr;
  unsigned long long at = std::strtoull(text, &end, 10);
  if (*end == '\0') at_ = at;
}

// SIGKILL cannot be handled, blocked or survived: what is on disk now is what the next process finds.
void CrashPoint::crash() {
  std::raise(SIGKILL);
  std::abort();
}

}  // namespace perilune::cli
