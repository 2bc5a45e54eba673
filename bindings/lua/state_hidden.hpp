// What the files of bindings/lua keep for each State beside the public face: buffers that must survive a raise,
// counters of the coroutine library, and the keys under which host tables stand in the registry.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state.hpp"

namespace perilune::lua {

// Registry keys are the addresses of these.
namespace registry {
inline char k_array_metatable;
inline char k_object_metatable;
inline char k_error_metatable;
inline char k_guard_metatable;   // of metatables: refuses a late __mode (metatable_guard.cpp)
inline char k_api;               // name -> API global, filled on first use; __index of the globals' metatable
inline char k_object_ids;        // object -> number in tostring; weak keys
inline char k_script_threads;    // coroutine that a script made -> true while it waits in an await; weak keys
inline char k_answers;           // name -> function of answer(); made by the first
inline char k_modules;           // name -> value of require
inline char k_loading;           // name -> coroutine that loads the module
inline char k_closer_metatable;  // of the entry that ends a loading (require.cpp)
inline char k_next_tables;       // slot -> table under traversal by next; weak values
inline char k_next_keys;         // slot -> its sorted keys, or their number for an array
inline char k_state_metatable;   // of `state` and the tables in it (state_table.cpp)
inline char k_state_tables;      // plain table of the state -> the table that stands for it; weak keys
inline char k_locked;            // in the metatable of a read-only table -> the table behind it
}  // namespace registry

// A key of a table, in the order of pairs: numbers, strings, booleans.
struct OrderedKey {
  enum Rank : uint8_t { k_integer, k_float, k_string, k_boolean };
  Rank rank;
  union {
    int64_t integer;  // booleans too
    double number;
    const char* text;  // alive because the table holds the key
  };
  size_t size;
  int slot;  // where the key stands
};

// False for a key that has no place in the order (ordered_pairs.cpp).
bool read_ordered_key(lua_State* L, int index, OrderedKey& key);
bool stands_before(const OrderedKey& a, const OrderedKey& b);

// A string key of a table that is being encoded; the value stands at slot + 1 of the Lua stack.
struct EncodedKey {
  const char* text;
  size_t size;
  int slot;
};

struct State::Hidden {
  static constexpr int k_next_slots = 4;

  const void* array_metatable = nullptr;  // lua_topointer of the registry's tables, to compare without a look-up
  const void* object_metatable = nullptr;
  const void* error_metatable = nullptr;
  const void* guard_metatable = nullptr;
  const void* state_metatable = nullptr;  // null until `state` is used

  bool memory_refused = false;  // the allocator has said no at least once
  int coroutine_depth = 0;      // user coroutines between the task and the running code
  bool await_blocked = false;   // one of their callers can't yield
  int close_depth = 0;          // nested coroutine.close

  std::vector<EncodedKey> encoded_keys;   // a stack: nested objects use its end
  std::vector<const void*> encoded_path;  // the tables that are being encoded, outermost first
  std::vector<OrderedKey> ordered_keys;
  std::unique_ptr<Error> raised;     // the last error given to raise()
  std::vector<std::string> loading;  // modules that are being loaded, oldest first

  struct LazyGlobals {
    const LazyGlobal* first;
    size_t count;
  };
  std::vector<LazyGlobals> lazy;

  lua_Integer next_positions[k_next_slots] = {};
  int next_slot = 0;  // the slot that is taken over next
};

}  // namespace perilune::lua
