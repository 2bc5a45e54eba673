// The logs of runs: one file of JSON lines a run, LOGS/RUN.jsonl. It is opened at a run's first line, kept open, and
// closed at its end; each line is one write, so that nothing is lost when the process dies.
// Uses json_text.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/base/result.hpp"

namespace perilune::cli {

class RunLog {
 public:
  // Empty = nothing is kept.
  explicit RunLog(std::string directory) : directory_(std::move(directory)) {}
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void write(const std::string& run, int64_t at_us, std::string_view level, std::string_view text,
             std::string_view fields);
  void close(const std::string& run);

 private:
  int file_of(const std::string& run);

  std::string directory_;
  std::unordered_map<std::string, int> files_;  // -1: could not be opened; said once
  bool complained_ = false;
};

// {"at":...,"level":...,"run":...,"text":...,<fields>}; fields that would hide one of these stand under "fields".
std::string log_line(const std::string& run, int64_t at_us, std::string_view level, std::string_view text,
                     std::string_view fields);
// The file of a run's log. Ids are the user's to choose: what is no plain file name is written as %XX.
std::string log_path(const std::string& directory, const std::string& run);

}  // namespace perilune::cli
