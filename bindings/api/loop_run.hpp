// One call of loop() while it lasts: what it goes through, and its snapshots on the Lua side. Lies in a userdata on the
// stack of the call, whose slots are named here. Uses flow/loop and lua/snapshot.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "bindings/lua/lua_task.hpp"
#include "bindings/lua/snapshot.hpp"
#include "runtime/flow/loop.hpp"

namespace perilune::api {

// Slots of the call's stack.
enum LoopSlot { k_loop_name = 1, k_loop_options, k_loop_body, k_loop_items, k_loop_run, k_loop_objects, k_loop_top = k_loop_objects };

// What to go through, read from the options.
struct LoopPlan {
  enum class Form : uint8_t { endless, times, integers, floats, each };
  Form form = Form::endless;
  uint64_t total = 0;          // iterations, but for endless
  int64_t from = 1, by = 1;
  double from_number = 1, by_number = 1;
  int64_t every_us = 0;
  uint64_t max = 0;            // 0 = none
  uint64_t keep = 100;
  uint64_t limit = 1;

  bool over(uint64_t done) const { return form != Form::endless && done >= total; }
};

struct LoopRun {
  LoopRun(lua::LuaScript& script_, std::string_view name, const LoopPlan& plan_)
      : script(script_), plan(plan_), loop(script_.execution(), script_.current()->task(), std::string(name), plan_.keep) {}

  lua::LuaScript& script;
  LoopPlan plan;
  flow::Loop loop;
  std::unique_ptr<lua::Snapshot> snapshot;   // once the objects are numbered
  uint64_t undo_base = 0;                    // compensations up to this order are older than the numbering
  bool settled = false;                      // what belongs between two iterations, but for the rest, is done
  bool rested = true;                        // `every` has passed since the last iteration

  lua::LuaTask& task() { return *script.current(); }
};

// ---- limit: iterations side by side, in windows that drain before the loop can be saved (loop_window.cpp)
// Starts the iterations that come next. True: the task need not wait.
bool begin_window(lua_State* L, LoopRun& run);
// They have ended. Pushes the value that ends the loop, or nil; raises what one of them raised.
void end_window(lua_State* L, LoopRun& run);

// All that belongs between two iterations: puts an earlier life's snapshot back, numbers, saves.
enum class Between : uint8_t { go_on, over, diverged };
Between between_iterations(lua_State* L, LoopRun& run);

// The graph to keep with the loop's value goes to run.snapshot->text(). False: there is none.
bool save_end(lua_State* L, LoopRun& run);

}  // namespace perilune::api
