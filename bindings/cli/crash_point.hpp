// The crash test's switch: with PERILUNE_CRASH_AT=N in the environment the process kills itself (SIGKILL) right after
// record N of a run has been committed and before anything has been done with it. Promises: without the variable, or
// with a value that is no number from 1, nothing happens. For tests/crash/kill_test.py; uses nothing.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace perilune::cli {

class CrashPoint {
 public:
  CrashPoint();  // reads the environment
  void committed(uint64_t seq) const {
    if (seq == at_) crash();
  }

 private:
  [[noreturn]] static void crash();

  uint64_t at_ = 0;  // no record has this number
};

}  // namespace perilune::cli
