// JSON text to Lua values, the second step: push_tape() builds what parse() has put on the tape. It may raise (memory),
// and holds nothing that would leak then. Also json.null and the tags of arrays and objects. SPDX-License-Identifier:
// MIT
#include "bindings/lua/codec.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/tape.hpp"

namespace perilune::lua {
namespace {

constexpr char k_null = 0;  // its address is json.null

struct Pusher {
  lua_State* L;
  const Tape& tape;
  size_t next;
  int array_metatable;
  int object_metatable;

  void push() {
    const Tape::Token& token = tape.tokens[next++];
    switch (token.kind) {
      case Tape::Kind::k_null:
        push_null(L);
        return;
      case Tape::Kind::k_false:
        lua_pushboolean(L, 0);
        return;
      case Tape::Kind::k_true:
        lua_pushboolean(L, 1);
        return;
      case Tape::Kind::k_integer:
        lua_pushinteger(L, token.integer);
        return;
      case Tape::Kind::k_number:
        lua_pushnumber(L, token.number);
        return;
      case Tape::Kind::k_string:
        lua_pushlstring(L, tape.text.data() + token.offset, token.size);
        return;
      case Tape::Kind::k_array:
        push_array(token.size);
        return;
      case Tape::Kind::k_object:
        push_object(token.size);
        return;
    }
  }

  void push_array(uint32_t count) {
    luaL_checkstack(L, 6, "JSON");
    lua_createtable(L, int(count), 0);
    for (uint32_t item = 1; item <= count; ++item) {
      push();
      lua_rawseti(L, -2, item);
    }
    lua_pushvalue(L, array_metatable);
    lua_setmetatable(L, -2);
  }

  void push_object(uint32_t count) {
    luaL_checkstack(L, 6, "JSON");
    lua_createtable(L, 0, int(count));
    for (uint32_t pair = 0; pair < count; ++pair) {
      push();
      push();
      lua_rawset(L, -3);
    }
    lua_pushvalue(L, object_metatable);
    lua_setmetatable(L, -2);
  }
};

bool parse_own(State& state, std::string_view text) noexcept {
  Result<void> parsed = parse(text, state.tape());
  if (!parsed) state.kill(code::k_internal, "a text of the runtime's own does not parse: " + parsed.error().message);
  return parsed.ok();
}

void tag(lua_State* L, int index, const void* key) {
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  lua_setmetatable(L, index);
}

}  // namespace

void push_tape(lua_State* L, const Tape& tape) {
  luaL_checkstack(L, 8, "JSON");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_array_metatable);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_object_metatable);
  const int top = lua_gettop(L);
  Pusher pusher{L, tape, 0, top - 1, top};
  if (tape.tokens.empty()) {
    push_null(L);
  } else {
    pusher.push();
  }
  lua_replace(L, top - 1);
  lua_settop(L, top - 1);
}

void push_json(lua_State* L, std::string_view text) {
  State& state = State::of(L);
  if (parse_own(state, text)) {
    push_tape(L, state.tape());
  } else {
    lua_pushnil(L);
  }
}

void push_null(lua_State* L) { lua_pushlightuserdata(L, const_cast<char*>(&k_null)); }

bool is_null(lua_State* L, int index) {
  return lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == &k_null;
}

void tag_array(lua_State* L, int index) { tag(L, index, &registry::k_array_metatable); }
void tag_object(lua_State* L, int index) { tag(L, index, &registry::k_object_metatable); }

}  // namespace perilune::lua
