// log.debug, log.info, log.warn, log.error(text, [fields]): lines of the run's log, which a replay does not repeat.
// Not effects: they write no record and may stand anywhere, in a hook or a comparison too.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/libraries.hpp"

namespace perilune::api {

namespace {

// The work: writes the line. False with a message in the state's scratch when the fields are no plain data.
bool write_line(lua_State* L, const char* level, std::string_view text) noexcept {
  lua::State& state = lua::State::of(L);
  std::string& scratch = state.scratch();
  scratch.clear();
  if (lua_type(L, 2) == LUA_TTABLE) {
    Result<void> encoded = lua::encode(L, 2, scratch, "fields");
    if (!encoded.ok()) {
      scratch = encoded.error().message;
      return false;
    }
    if (scratch.starts_with('[')) {
      scratch = "the fields must have names";
      return false;
    }
  }
  const std::string fields = scratch;  // the log may use the scratch itself
  state.surroundings().log(level, text, fields);
  return true;
}

int write(lua_State* L, const char* level, const char* call) {
  if (lua_gettop(L) == 0) lua::raise_usage(L, code::k_usage, "%s: there is no text", call);
  lua_settop(L, 2);
  const int type = lua_type(L, 2);
  if (type != LUA_TNIL && type != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage, "%s: the fields must be a table, not a %s", call, lua_typename(L, type));
  lua::push_text(L, 1);
  size_t size = 0;
  const char* text = lua_tolstring(L, 3, &size);
  if (!write_line(L, level, {text, size}))
    lua::raise_usage(L, code::k_validation, "%s: %s", call, lua::State::of(L).scratch().c_str());
  return 0;
}

int l_debug(lua_State* L) { return write(L, "debug", "log.debug"); }
int l_info(lua_State* L) { return write(L, "info", "log.info"); }
int l_warn(lua_State* L) { return write(L, "warn", "log.warn"); }
int l_error(lua_State* L) { return write(L, "error", "log.error"); }

}  // namespace

int open_log(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"debug", l_debug}, {"info", l_info}, {"warn", l_warn}, {"error", l_error}, {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  return 1;
}

}  // namespace perilune::api
