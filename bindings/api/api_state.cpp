// state: the run's own table; see lua/state_table.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/state_table.hpp"

namespace perilune::api {

int open_state(lua_State* L) {
  lua::push_state(L);
  return 1;
}

}  // namespace perilune::api
