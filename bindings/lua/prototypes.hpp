// The code of a script's functions by name: (chunk, number in the chunk). What a snapshot says in place of bytecode.
// Chunks are compiled again from the bundle when they are first asked for; a function that comes from elsewhere (made by
// load) has no name.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>

#include "bindings/lua/bytecode.hpp"
#include "bindings/lua/state.hpp"

namespace perilune::lua {

class LuaScript;

class Prototypes {
 public:
  explicit Prototypes(LuaScript& script) : script_(script) {}

  struct Id {
    const std::string* chunk;   // "@order.lua", or "require lib.tax"
    size_t function;
  };
  // The code of the Lua function on top of the stack. False: it is not of the bundle. Never raises.
  bool find(lua_State* L, Id& id) noexcept;
  // Pushes a new function of that code, its upvalues fresh. False (nothing is pushed): there is none. Never raises.
  bool push(lua_State* L, std::string_view chunk, size_t function) noexcept;

 private:
  const std::string* name_of(lua_State* L, std::string_view source);
  const Bytecode* chunk(std::string_view name);
  LuaScript& script_;
  std::map<std::string, std::unique_ptr<Bytecode>, std::less<>> chunks_;   // null: not of the bundle
  std::map<std::string, std::string, std::less<>> names_;                  // source -> name
  std::string dump_;
};

}  // namespace perilune::lua
