// The global `trial` of a test file: what stdlib/perilune/test.lua is made of. One Bench a test file; it owns the runs
// under test, which end with the test that began them.
//
//   trial.start(order, names, answer) -> handle       order: { name =, input =, signals =, id =, settings = .. }, plain data
//   trial.live(handle, records | nil)  trial.run_on(handle)  trial.advance(handle, duration)  trial.signal(handle, name, value)
//   trial.view(handle) -> table        trial.records(handle) -> number
//   trial.clear()                      trial.report { suite =, name =, ok =, message = }
//
// `answer(name, arguments) -> value, seconds` stands in for what `names` has; it raises to fail.
// Uses trial, lua. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bindings/testing/trial.hpp"

struct lua_State;

namespace perilune::testing {

struct Verdict {
  std::string suite, name, message;   // message: empty when it passed
  bool passed = false;
  bool skipped = false;
};

class Bench {
 public:
  // `directory`: of the test file; scripts are looked for there, above it, and in `cwd`.
  Bench(std::string directory, std::string cwd, std::function<void(const Verdict&)> report)
      : directory_(std::move(directory)), cwd_(std::move(cwd)), report_(std::move(report)) {}
  ~Bench();

  // The script that a test means by a name or a path. Errors: "not_found", which says where it looked.
  Result<Trial::Order> find(const std::string& name) const;
  // Begins a run under test; the handle counts from 1.
  size_t begin(Trial::Order order, std::unique_ptr<Mocks> mocks);
  Trial* trial(size_t handle);
  void clear();
  void report(const Verdict& verdict) { report_(verdict); }

  // The one whose test file is running on this thread, or null.
  static Bench*& now();

 private:
  struct Begun {
    std::unique_ptr<Mocks> mocks;
    std::unique_ptr<Trial> trial;
  };
  std::string directory_, cwd_;
  std::function<void(const Verdict&)> report_;
  std::vector<Begun> begun_;
};

// The script API with `trial`: for make_lua_host.
void open_test_api(lua_State* L);

}  // namespace perilune::testing
