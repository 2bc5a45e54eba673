// The attempts to break out of the sandbox, or to break it: read from tests/sandbox/attempts/*.lua, run through the
// real engine with a run beside them on the same worker.
//
// A file is a row of attempts. Each begins with a line
//   --@ NUMBER CLASS VERDICT [| VERDICT]...
// CLASS is what it stands for: R refused, E an error that can be caught, K killed, D does no harm and is the same every
// time. A verdict is `returns JSON`, `raises PART OF THE MESSAGE`, `killed CODE`, `same` (some value, the same in all
// contexts and lives), or `listed`: Lua 5.4.4 may get it wrong (docs/sandbox.md), but lives. SPDX-License-Identifier:
// MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/engine/settings.hpp"

namespace perilune::sandbox {

struct Attempt {
  int number = 0;
  std::string verdicts;  // as the line says
  std::string code;
};

enum class Context { body, coroutine, metamethod, close };
constexpr Context k_contexts[] = {Context::body, Context::coroutine, Context::metamethod, Context::close};
const char* name_of(Context context);

// In the order of their numbers. Throws when a file can't be read or says something else.
std::vector<Attempt> read_attempts();

struct Ending {
  std::string text;       // "returns JSON", "raises MESSAGE", "killed CODE", "never ended"
  std::string beside;     // what the other run gave
  size_t kept_bytes = 0;  // of the heap, when both runs are over
};

// One life of a worker: the attempt in its context, and another run.
Ending make(const Attempt& attempt, Context context, bool generational, const engine::Settings& settings);

constexpr const char* k_beside = "\"1234567\"";  // what the other run gives when nothing disturbs it

// Whether the ending is one that the attempt's line names. `seen` keeps what `same` compares with.
bool fits(const Attempt& attempt, const std::string& ending, std::map<int, std::string>& seen);

}  // namespace perilune::sandbox
