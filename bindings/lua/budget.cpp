// The CPU budget of a script between durable calls, and the hook that makes a kill stick.
// Promises: a script in Lua code ends within 10,000 instructions of the limit, whatever it catches. Not promised: a
// long run inside one C function (string.find with a hard pattern) is seen only when it returns.
// SPDX-License-Identifier: MIT
#include <ctime>
#include <string>

#include "bindings/lua/state.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {
namespace {

constexpr int k_hook_instructions = 10'000;

int64_t thread_cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

// The clock is read by the slice's first hook: most slices are shorter than that, and reading it is a system call.
void State::begin_slice() { slice_start_us_ = -1; }

void State::watch(lua_State* coroutine) {
  lua_sethook(coroutine, &State::hook, LUA_MASKCOUNT, killed() ? 1 : k_hook_instructions);
}

void State::hook(lua_State* L, lua_Debug* debug) {
  State& state = State::of(L);
  if (!state.killed()) {
    const int64_t now_us = thread_cpu_us();
    if (state.slice_start_us_ < 0) state.slice_start_us_ = now_us;
    if (now_us - state.slice_start_us_ <= state.limits_.cpu_us) return;
    lua_getinfo(L, "Sl", debug);
    state.kill(code::k_budget, "the script used more than " + format_duration(state.limits_.cpu_us) +
                                   " of CPU between durable calls at " + debug->short_src + ":" +
                                   std::to_string(debug->currentline));
  }
  state.raise_killed(L);
}

}  // namespace perilune::lua
