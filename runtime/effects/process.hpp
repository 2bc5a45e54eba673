// Child processes: argv only, never a shell of our own making. Started by vfork-like spawning, so that the price does
// not grow with our memory. The child leads a process group of its own which dies with the effect, and it dies with us.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/effects/effect.hpp"
#include "runtime/loop/loop.hpp"

namespace perilune::effects {

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH (of `env` when it has one) unless it has a slash
  std::string cwd;                // empty = ours
  std::vector<std::pair<std::string, std::string>> env;  // added to ours, or all there is when clean_env
  bool clean_env = false;
  std::string stdin_data;           // written to the child's stdin, then closed; empty = /dev/null
  int64_t grace_us = 5'000'000;     // from SIGTERM to SIGKILL of the group when cancelled
  size_t output_limit = 16u << 20;  // bytes kept of each of stdout and stderr; what is over is read and dropped
  // Resource limits, 0 = inherit.
  uint64_t cpu_s = 0;
  uint64_t memory_bytes = 0;  // RLIMIT_AS
  uint64_t open_files = 0;
  // Output as it comes, in chunks; may be empty.
  std::function<void(bool is_stderr, std::string_view chunk)> on_output;
};

struct ProcessResult {
  int code = 0;    // exit code; 128 + signal when killed by one
  int signal = 0;  // 0 = none
  std::string out, err;
  bool truncated = false;
  int64_t duration_us = 0;
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // Errors: "not_found" (no such program, names it), "denied" (not executable), "io" (cwd, limits, descriptors),
  // "cancelled". A program that ran and failed is a result, not an error.
  virtual std::unique_ptr<Effect> run(ProcessSpec spec, Done<ProcessResult> done) = 0;
};

std::unique_ptr<ProcessRunner> make_process_runner(loop::Loop& loop);

}  // namespace perilune::effects
