// A small seeded generator (xoshiro256**): the random stream of a task, retry jitter, simulations. Not for secrets.
// Its state is four words, so that it can be saved and put back.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

namespace perilune {

class Random {
 public:
  explicit Random(uint64_t seed = 0);           // any seed is good: it is spread by splitmix64
  uint64_t next();                              // 64 random bits
  uint64_t below(uint64_t n);                   // 0 .. n-1, unbiased; n > 0
  double uniform();                             // [0, 1)
  const std::array<uint64_t, 4>& state() const { return state_; }
  void set_state(const std::array<uint64_t, 4>& state);  // all zero, which would never move, counts as Random(0)

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace perilune
