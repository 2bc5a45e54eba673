// Fuzzing without a fuzzer's compiler: targets, and inputs that are mutated from a few seeds, the same for the same
// number. Each target is a function of bytes that must hold what it promises for all of them; Broken says what did not
// hold. SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/random.hpp"

namespace perilune::fuzz {

struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const char* what) {
  if (!holds) throw Broken(what);
}

struct Target {
  const char* name;
  const char* what;  // it promises, in a line
  std::vector<std::string> seeds;
  std::vector<std::string> words;  // that mutations put in
  // True when the input came further than most: it is kept and mutated again.
  bool (*run)(const std::string& input);
};

// targets_text.cpp, targets_lua.cpp
void add_text_targets(std::vector<Target>& targets);
void add_lua_targets(std::vector<Target>& targets);

// A new input, from those that stand in `corpus`.
std::string mutate(const std::vector<std::string>& corpus, const std::vector<std::string>& words, Random& random);

}  // namespace perilune::fuzz
