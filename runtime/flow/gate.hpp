// Gates: what must hold before, between and after the steps of a run. Each verdict is a record of kind gate that rides with
// the outcome it belongs to (nobody waits for it): {"gate":"expect","held":true} or {..,"held":false,"message":".."}.
//
//   requires, input        with run_started: a run whose gates of the start fail does not begin
//   preflight, postflight  a step of that name, whose body is the gate
//   expect                 a step's own operation
//   output                 with the end of the run
//
// Uses journal.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/journal/record.hpp"

namespace perilune::flow {

inline constexpr const char* k_gate_requires = "requires";
inline constexpr const char* k_gate_input = "input";
inline constexpr const char* k_gate_output = "output";
inline constexpr const char* k_gate_expect = "expect";
inline constexpr const char* k_gate_preflight = "preflight";
inline constexpr const char* k_gate_postflight = "postflight";

// The data of a verdict; `failure` says why the gate did not hold, null: it held.
std::string gate_data(const char* gate, const Error* failure);
// A verdict on the run as a whole.
journal::Record run_gate(const char* gate, const Error* failure);

struct Verdict {
  std::string gate;
  bool held = true;
  std::string message;   // when it did not hold
};
// Nothing for other kinds of records.
std::optional<Verdict> verdict_of(const journal::Record& record);

}  // namespace perilune::flow
