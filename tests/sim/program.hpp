// Random workflow scripts for the simulation: nested parallel, race, map, spawned tasks and groups, cancellation, retries,
// failures, sleeps, signals, questions, time-outs, channels, joins, locks, guards, shields, early ends and variables shared between branches. The same seed gives the same script.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/random.hpp"

namespace perilune::sim {

// The script calls begun() first (also when it is replayed after an eviction), note(text) after each thing that it saw (the trail), effect(name) inside each step, and lag() where a
// step takes time; it returns the trail's text.
std::string random_program(uint64_t seed);

}  // namespace perilune::sim
