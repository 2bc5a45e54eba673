// Lua's own libraries beside ours: the same call is made in both, and what came of it is compared as text.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "tests/unit/lua/fake_surroundings.hpp"

namespace perilune::lua::test {

class StockLua {
 public:
  StockLua() : state_(luaL_newstate(), lua_close) { luaL_openlibs(state_.get()); }

  // Runs a script and answers with its one result, a text, or with its error.
  std::string eval(const std::string& script) { return text_of(state_.get(), script); }
  static std::string eval(World& world, const std::string& script) {
    world.state->begin_slice();
    return text_of(world.state->main(), script);
  }

 private:
  static std::string text_of(lua_State* L, const std::string& script) {
    lua_settop(L, 0);
    if (luaL_loadbufferx(L, script.data(), script.size(), "=s", "t") != LUA_OK || lua_pcall(L, 0, 1, 0) != LUA_OK) {
      return std::string("error ") + (lua_isstring(L, -1) ? lua_tostring(L, -1) : "?");
    }
    size_t size = 0;
    const char* text = lua_tolstring(L, -1, &size);
    return text == nullptr ? "no text" : std::string(text, size);
  }

  std::unique_ptr<lua_State, decltype(&lua_close)> state_;
};

// Lua text that makes `text` again.
inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\%03d", c);
    out += escape;
  }
  return out + "\"";
}

}  // namespace perilune::lua::test
