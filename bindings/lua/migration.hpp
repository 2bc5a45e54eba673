// workflow { version = 3, migrate = { [2] = function(state) ... end } }: how the state of a run of an older version becomes one
// of this version. Each step is a function of the state under the version to which it brings it; it changes what it is given,
// or returns another.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "bindings/lua/state.hpp"

namespace perilune::lua {

// What a file is looked at for: the state of a run, to be brought from one version to another.
struct Migration {
  std::string workflow;
  int64_t from = 1, to = 1;        // a version without a step changes nothing
  std::string state;               // a JSON object; afterwards that of version `to`,
  std::unique_ptr<Error> error;    //   or why not: what a step raised, "validation" for what it gave
};

// The definition at `index`, whose name is on top of the stack, may have a `migrate`: a table of functions under versions from 2
// to its own. Raises for anything else. Where the file is looked at for a migration of this workflow, it is done here: a file
// that is itself the workflow goes no further than its first durable call.
void read_migrations(lua_State* L, int index);

}  // namespace perilune::lua
