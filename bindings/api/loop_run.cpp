// Snapshots of a loop on the Lua side; see loop_run.hpp. The roots of a snapshot are the body and, for the compensations
// that iterations have registered, their order, name, argument and function; in front how many older ones are left, and last the
// table of what the script answers, if it does.
// SPDX-License-Identifier: MIT
#include "bindings/api/loop_run.hpp"

#include <chrono>

#include "bindings/api/hooked.hpp"
#include "bindings/api/undo.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/state_table.hpp"
#include "runtime/flow/saga.hpp"

namespace perilune::api {

namespace {

constexpr const char* k_foreign_undo = "a pending compensation that is no function can't be saved";

int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const std::vector<flow::Compensation>& pending(LoopRun& run) {
  static const std::vector<flow::Compensation> none;
  flow::Saga* saga = flow::Saga::find(run.task().task());
  return saga == nullptr ? none : saga->entries();
}

const LuaUndo* undo_of(const flow::Compensation& entry) { return dynamic_cast<const LuaUndo*>(entry.action.get()); }

// Pushes the list of roots.
void push_roots(lua_State* L, LoopRun& run, int body) {
  lua_createtable(L, 2, 0);
  const int list = lua_gettop(L);
  lua_pushvalue(L, body);
  lua_rawseti(L, list, 1);
  lua_Integer kept = 0, size = 2;
  for (const flow::Compensation& entry : pending(run)) {
    const LuaUndo* undo = undo_of(entry);
    if (entry.order <= run.undo_base) ++kept;
    if (undo == nullptr) continue;
    lua_pushinteger(L, static_cast<lua_Integer>(entry.order));
    lua_rawseti(L, list, ++size);
    lua_pushlstring(L, entry.name.data(), entry.name.size());
    lua_rawseti(L, list, ++size);
    lua_pushlstring(L, undo->argument().data(), undo->argument().size());
    lua_rawseti(L, list, ++size);
    lua_rawgeti(L, LUA_REGISTRYINDEX, undo->function_ref());
    lua_rawseti(L, list, ++size);
  }
  lua_pushinteger(L, kept);
  lua_rawseti(L, list, 2);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lua::registry::k_answers) == LUA_TTABLE) lua_rawseti(L, list, ++size);
  else lua_pop(L, 1);
}

// Roots 1 and 2, four a compensation, then the answers.
void restore_answers(lua_State* L, int roots) {
  const lua_Integer size = static_cast<lua_Integer>(lua_rawlen(L, roots));
  if (size % 4 != 3) return;
  lua_rawgeti(L, roots, size);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lua::registry::k_answers);
}

void begin_numbering(LoopRun& run) noexcept {
  run.snapshot = std::make_unique<lua::Snapshot>(run.script);
  run.undo_base = run.script.execution().undo_order();
}

// Numbers the objects as they are now, and keeps them in the call's slot.
void number(lua_State* L, LoopRun& run) {
  begin_numbering(run);
  lua_newtable(L);
  lua_replace(L, k_loop_objects);
  push_roots(L, run, k_loop_body);
  const int roots = lua_gettop(L);
  run.snapshot->number_start(L, k_loop_objects, roots, lua_istable(L, k_loop_items) ? k_loop_items : 0);
  lua_settop(L, roots - 1);
}

void put_back(LoopRun& run, uint64_t order, const char* name, size_t name_size, const char* argument, size_t argument_size,
              int function_ref) noexcept {
  // The records of the iteration may be gone: whoever takes the run back goes back to the loop's base.
  flow::Compensation entry{order, run.loop.base_position() + 1, std::string(name, name_size),
                           std::make_unique<LuaUndo>(run.script, function_ref, std::string(argument, argument_size))};
  flow::Saga::of(run.task().task()).put_back(std::move(entry));
}

// Compensations as the snapshot's roots have them; `roots` is a stack index.
void restore_undo(lua_State* L, LoopRun& run, int roots) {
  lua_rawgeti(L, roots, 2);
  const size_t kept = static_cast<size_t>(lua_tointeger(L, -1));
  lua_pop(L, 1);
  if (flow::Saga* saga = flow::Saga::find(run.task().task())) [&]() noexcept { saga->keep_oldest(kept); }();
  const lua_Integer size = static_cast<lua_Integer>(lua_rawlen(L, roots));
  for (lua_Integer at = 3; at + 3 <= size; at += 4) {
    for (lua_Integer i = 0; i < 4; ++i) lua_rawgeti(L, roots, at + i);
    const uint64_t order = static_cast<uint64_t>(lua_tointeger(L, -4));
    if (order > run.undo_base) {
      size_t name_size = 0, argument_size = 0;
      const char* name = lua_tolstring(L, -3, &name_size);
      const char* argument = lua_tolstring(L, -2, &argument_size);
      lua_pushvalue(L, -1);
      const int ref = luaL_ref(L, LUA_REGISTRYINDEX);
      put_back(run, order, name, name_size, argument, argument_size, ref);
    }
    lua_settop(L, roots);
  }
}

void part(LoopRun& run) noexcept {
  run.script.execution().diverge("the snapshot of loop '" + run.loop.name() + "' can't be put back: " + run.snapshot->trouble());
}

Between restore(lua_State* L, LoopRun& run) {
  const int64_t began_us = steady_us();
  number(L, run);
  run.script.numbering_cost_us() = steady_us() - began_us;
  lua_createtable(L, 2, 0);
  const int roots = lua_gettop(L);
  lua_pushvalue(L, k_loop_body);
  lua_rawseti(L, roots, 1);
  if (!run.snapshot->restore(L, k_loop_objects, roots, run.loop.saved_graph())) {
    part(run);
    return Between::diverged;
  }
  restore_undo(L, run, roots);
  hear_restored_hooks(L, run.script);
  restore_answers(L, roots);
  lua_settop(L, roots - 1);
  run.rested = false;
  const bool over = run.loop.restore(2 * (steady_us() - began_us), run.task().busy_us());
  return over ? Between::over : Between::go_on;
}

// (run, objects, body) -> saved? In a protected call: a loop must not fail for want of memory for its snapshot.
int l_save(lua_State* L) {
  LoopRun& run = *static_cast<LoopRun*>(lua_touserdata(L, 1));
  push_roots(L, run, 3);
  lua_pushboolean(L, run.snapshot->save(L, 2, 4));
  return 1;
}

void give_up(LoopRun& run, int64_t cost_us, const char* why) noexcept {
  run.loop.could_not_save(cost_us);
  run.script.warn_once("loop '" + run.loop.name() + "' can't be saved and is replayed in full after a crash: " + why);
}

bool has_foreign_undo(LoopRun& run) noexcept {
  for (const flow::Compensation& entry : pending(run))
    if (entry.order > run.undo_base && undo_of(entry) == nullptr) return true;
  return false;
}

// The graph goes to run.snapshot->text(); false: it can't be made, which the log has been told.
bool make_graph(lua_State* L, LoopRun& run, int64_t& cost_us) {
  const int64_t began_us = steady_us();
  if (has_foreign_undo(run)) return give_up(run, 0, k_foreign_undo), false;
  luaL_checkstack(L, 8, "loop");
  lua_pushcfunction(L, l_save);
  lua_pushlightuserdata(L, &run);
  lua_pushvalue(L, k_loop_objects);
  lua_pushvalue(L, k_loop_body);
  const bool finished = lua_pcall(L, 3, 1, 0) == LUA_OK;
  const bool saved = finished && lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  cost_us = steady_us() - began_us;
  if (!saved) give_up(run, cost_us, finished ? run.snapshot->trouble().c_str() : "memory is short");
  return saved;
}

void keep_graph(LoopRun& run, int64_t cost_us) noexcept {
  run.loop.save(run.snapshot->text(), cost_us, run.task().busy_us());
}

}  // namespace

Between between_iterations(lua_State* L, LoopRun& run) {
  lua::settle_state(L, run.script);
  flow::Loop& loop = run.loop;
  if (loop.restores_here()) return restore(L, run);
  const int64_t busy_us = run.task().busy_us();
  if (loop.numbers_here(run.script.numbering_cost_us(), busy_us)) {
    const int64_t began_us = steady_us();
    number(L, run);
    const int64_t cost_us = run.script.numbering_cost_us() = steady_us() - began_us;
    loop.numbered(cost_us, run.task().busy_us());
  }
  int64_t cost_us = 0;
  if (loop.due(busy_us) && make_graph(L, run, cost_us)) keep_graph(run, cost_us);
  return Between::go_on;
}

bool save_end(lua_State* L, LoopRun& run) {
  lua::settle_state(L, run.script);
  int64_t cost_us = 0;
  return run.loop.saves_end(run.task().busy_us()) && make_graph(L, run, cost_us);
}

}  // namespace perilune::api
