// What `perilune test` prints: for people, as TAP 14, as JSON; and a JUnit file beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/cli/terminal.hpp"
#include "bindings/testing/bench.hpp"

namespace perilune::cli {

class TestReport {
 public:
  enum class Form { people, tap, json };
  TestReport(Form form, bool quiet);

  void file(const std::string& path);
  void verdict(const testing::Verdict& verdict);
  void line(const std::string& text);   // of a test file's log
  void end();
  // Error "io".
  Result<void> write_junit(const std::string& path) const;
  size_t failed() const { return failed_; }

 private:
  struct Told {
    std::string file;
    testing::Verdict verdict;
    int64_t duration_us = 0;
  };
  void print_people(const Told& told);
  void print_tap(const Told& told);
  void print_json_report() const;

  Form form_;
  bool quiet_;
  Terminal terminal_;
  std::string file_;
  std::string suite_;
  bool file_shown_ = false;
  int64_t since_us_ = 0;
  std::vector<Told> told_;
  size_t passed_ = 0, failed_ = 0, skipped_ = 0;
};

}  // namespace perilune::cli
