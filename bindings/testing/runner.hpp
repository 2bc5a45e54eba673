// Runs a test file: it is a script itself, in the real world (files, HTTP), whose runs under test are not.
// Uses bench, engine, lua, the memory store and a libuv loop.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "bindings/testing/bench.hpp"

namespace perilune::testing {

struct TestFile {
  std::string path;        // as the user named it
  std::string text;
  std::string directory;   // absolute
  std::string cwd;
  engine::Settings settings;
};

// Each test is reported as it ends. Errors: the file itself can't be run to its end.
Result<void> run_test_file(const TestFile& file, std::function<void(const Verdict&)> report,
                           std::function<void(const std::string& line)> log);

}  // namespace perilune::testing
