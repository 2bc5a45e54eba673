// xoshiro256** 1.0 (Blackman and Vigna), its state filled by splitmix64.
// Its output is part of what a run replays: it must never change.
// SPDX-License-Identifier: MIT
#include "runtime/base/random.hpp"

#include <bit>
#include <cassert>

namespace perilune {
namespace {

std::array<uint64_t, 4> spread(uint64_t seed) {
  std::array<uint64_t, 4> state;
  for (uint64_t& word : state) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
  return state;
}

}  // namespace

Random::Random(uint64_t seed) : state_(spread(seed)) {}

void Random::set_state(const std::array<uint64_t, 4>& state) {
  // All zero is the one state that xoshiro never leaves; it can only come from a damaged record.
  state_ = state == std::array<uint64_t, 4>{} ? spread(0) : state;
}

uint64_t Random::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::below(uint64_t n) {
  assert(n > 0);
  if (n == 0) return 0;
  // The high word of a 128-bit product (Lemire); low words under 2^64 mod n would favour some results.
  const uint64_t unfair = (0 - n) % n;
  for (;;) {
    const unsigned __int128 product = static_cast<unsigned __int128>(next()) * n;
    if (static_cast<uint64_t>(product) >= unfair) return static_cast<uint64_t>(product >> 64);
  }
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

}  // namespace perilune
