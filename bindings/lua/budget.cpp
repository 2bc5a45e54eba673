// The CPU budget of a script between durable calls, and the hook that makes a kill stick.
// Promises: a script in Lua code ends within 10,000 instructions of the limit, whatever it catches; one inside a C
// function of ours, which charges for its work, within 100 us.
// SPDX-License-Identifier: MIT
#include <ctime>
#include <string>

#include "bindings/lua/state.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {
namespace {

constexpr int k_hook_instructions = 10'000;
constexpr int64_t k_work_quantum = 50'000;  // about 100 us

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

void State::hook(lua_State* L, lua_Debug*) { State::of(L).raise_if_spent(L); }

void State::spend(lua_State* L) {
  work_left_ = k_work_quantum;
  raise_if_spent(L);
}

void State::raise_if_spent(lua_State* L) {
  if (!killed()) {
    const int64_t now_us = thread_cpu_us();
    if (slice_start_us_ < 0) slice_start_us_ = now_us;
    if (now_us - slice_start_us_ <= limits_.cpu_us) return;
    lua_Debug frame{};
    const char* file = "?";
    for (int level = 0; lua_getstack(L, level, &frame) != 0; ++level) {
      lua_getinfo(L, "Sl", &frame);
      if (frame.currentline <= 0) continue;
      file = frame.short_src;
      break;
    }
    kill(code::k_budget, "the script used more than " + format_duration(limits_.cpu_us) +
                             " of CPU between durable calls at " + file + ":" + std::to_string(frame.currentline));
  }
  raise_killed(L);
}

}  // namespace perilune::lua
