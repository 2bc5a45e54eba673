// Making, counting, killing and closing of a Lua state. The CPU budget is in budget.cpp.
// Promises: memory of Lua never passes the limit (a small reserve aside, for reporting the end), the first kill stays.
// SPDX-License-Identifier: MIT
#include "bindings/lua/state.hpp"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/tape.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {
namespace {

constexpr size_t k_reserve_bytes = 256 * 1024;  // above the limit once the state is killed: tracebacks, __close
constexpr char k_kill_sentinel = 0;             // its address is what a kill raises

int l_open(lua_State* L) {
  open_sandbox(L);
  return 0;
}

int l_panic(lua_State* L) {
  const char* text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error object";
  std::fprintf(stderr, "perilune: Lua error outside a protected call: %s\n", text);
  std::abort();
}

// Buffers of the standard library report a refused block as an ordinary error with this text.
bool is_memory_message(lua_State* L) {
  return lua_type(L, -1) == LUA_TSTRING && std::strcmp(lua_tostring(L, -1), "not enough memory") == 0;
}

}  // namespace

State::State(const StateLimits& limits, Surroundings& surroundings)
    : limits_(limits),
      surroundings_(&surroundings),
      tape_(std::make_unique<Tape>()),
      hidden_(std::make_unique<Hidden>()) {}

Result<std::unique_ptr<State>> State::create(const StateLimits& limits, Surroundings& surroundings) {
  std::unique_ptr<State> state(new State(limits, surroundings));
  state->main_ = lua_newstate(&State::allocate, state.get());
  Error no_memory(code::k_memory, "a Lua state does not fit into " + format_size(int64_t(limits.memory_bytes)));
  if (state->main_ == nullptr) return no_memory;
  lua_State* L = state->main_;
  // Coroutines copy this word from the main thread, so it is set before the first of them.
  *static_cast<State**>(lua_getextraspace(L)) = state.get();
  lua_atpanic(L, l_panic);
  lua_pushcfunction(L, l_open);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) return no_memory;
  state->watch(L);
  return state;
}

State::~State() {
  if (main_ != nullptr) lua_close(main_);
  assert(used_ == 0 && "Lua gives back what it took");
}

void* State::allocate(void* self, void* block, size_t old_size, size_t new_size) noexcept {
  State& state = *static_cast<State*>(self);
  if (block == nullptr) old_size = 0;  // it is a type tag then
  if (new_size == 0) {
    std::free(block);
    state.used_ -= old_size;
    return nullptr;
  }
  const size_t used = state.used_ - old_size + new_size;
  const size_t limit = state.limits_.memory_bytes + (state.killed_ ? k_reserve_bytes : 0);
  // NULL makes Lua collect all garbage and ask once more. A block that shrinks is never refused: Lua relies on it.
  if (new_size > old_size && used > limit) {
    state.hidden_->memory_refused = true;
    return nullptr;
  }
  void* moved = std::realloc(block, new_size);
  if (moved == nullptr) return nullptr;
  state.used_ = used;
  if (used > state.peak_) state.peak_ = used;
  return moved;
}

void State::kill(const char* code, std::string message) {
  if (killed_) return;
  killed_ = std::make_unique<Error>(code, std::move(message));
  killed_->retry = false;
  lua_sethook(main_, &State::hook, LUA_MASKCOUNT, 1);
}

void State::raise_killed(lua_State* L) {
  lua_sethook(L, &State::hook, LUA_MASKCOUNT, 1);
  lua_checkstack(L, 1);  // when it fails, Lua's own spare slots are left
  lua_pushlightuserdata(L, const_cast<char*>(&k_kill_sentinel));
  lua_error(L);
  std::abort();  // lua_error does not return
}

void State::after_protected_call(lua_State* L, int status) {
  if (status == LUA_ERRMEM || (status == LUA_ERRRUN && hidden_->memory_refused && is_memory_message(L))) {
    kill(code::k_memory, "the script needs more than " + format_size(int64_t(limits_.memory_bytes)) + " of memory");
  }
  if (killed()) raise_killed(L);
}

bool State::can_await(lua_State* L) const { return lua_isyieldable(L) && !hidden_->await_blocked; }

}  // namespace perilune::lua
