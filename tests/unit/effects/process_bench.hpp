// What the tests of processes stand on: a loop, a runner, and a guard that ends a test which hangs.
// SPDX-License-Identifier: MIT
#pragma once

#include <dirent.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "runtime/effects/fd.hpp"
#include "runtime/effects/file.hpp"
#include "runtime/effects/process.hpp"
#include "runtime/loop/uv_loop.hpp"

namespace perilune::effects {

struct ProcessBench {
  static constexpr int64_t k_hang_us = 120'000'000;

  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  std::unique_ptr<ProcessRunner> runner = make_process_runner(*loop);
  std::string made_directory;

  ProcessBench() {
    loop->start_timer(k_hang_us, [] {
      WARN("a process test hangs");
      std::abort();
    });
  }
  ~ProcessBench() {
    runner.reset();
    if (!made_directory.empty()) (void)remove_file(made_directory, true);
  }

  Result<ProcessResult> run(ProcessSpec spec) {
    std::optional<Result<ProcessResult>> got;
    auto effect = runner->run(std::move(spec), [&](Result<ProcessResult> result) {
      got = std::move(result);
      loop->stop();
    });
    loop->run();
    return std::move(*got);
  }

  // Its real path, removed at the end.
  std::string directory() {
    auto made = make_temp_directory("perilune-test-");
    REQUIRE(made.ok());
    char* real = realpath(made->c_str(), nullptr);
    made_directory = real;
    std::free(real);
    return made_directory;
  }
};

inline size_t open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  size_t count = 0;
  while (readdir(directory) != nullptr) count++;
  closedir(directory);
  return count;
}

// Watches any living process, ours or not, for its end.
class Watch {
 public:
  explicit Watch(int pid) : fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0u))) {}
  bool found() const { return static_cast<bool>(fd_); }
  // True when it ends within a minute.
  bool ends() const {
    pollfd ready{fd_.get(), POLLIN, 0};
    return poll(&ready, 1, 60'000) == 1;
  }

 private:
  Fd fd_;
};

}  // namespace perilune::effects
