// json.encode(v, {pretty=, bytes=}), json.decode(s, {bytes=}), json.null, json.array(t), json.object(t).
// Promises: what decode reads, encode writes again; "$bytes" has no meaning here, unless `bytes` asks for the form in
// which values are recorded (strings that are not UTF-8 as {"$bytes": base64}); errors have the code "validation".
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"

namespace perilune::api {

namespace {

constexpr std::string_view k_encode_options[] = {"pretty", "bytes"};
constexpr std::string_view k_decode_options[] = {"bytes"};
constexpr size_t k_kept_scratch_bytes = 1 << 20;

const char* code_of(const Error& error) { return error.code == code::k_limit ? code::k_limit : code::k_validation; }

// Indents a JSON text without spaces, two spaces a level; empty arrays and objects stay in one piece.
std::string indented(std::string_view text) {
  std::string out;
  size_t depth = 0;
  bool in_string = false;
  const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      out += c;
      if (c == '\\') out += text[++i];
      if (c == '"') in_string = false;
      continue;
    }
    if ((c == '}' || c == ']') && text[i - 1] != '{' && text[i - 1] != '[') --depth, new_line();
    out += c;
    if (c == '"') in_string = true;
    if (c == ':') out += ' ';
    if (c == ',') new_line();
    if ((c == '{' || c == '[') && text[i + 1] != '}' && text[i + 1] != ']') ++depth, new_line();
  }
  return out;
}

// The work of encode: the text, or the message, is left in the state's scratch. Gives the error's code, or null.
const char* put_text(lua_State* L, bool pretty, bool bytes) noexcept {
  std::string& scratch = lua::State::of(L).scratch();
  scratch.clear();
  Result<void> encoded = lua::encode(L, 1, scratch, {}, !bytes);
  if (encoded.ok()) {
    if (pretty) scratch = indented(scratch);
    return nullptr;
  }
  scratch = encoded.error().message;
  return code_of(encoded.error());
}

const char* put_tape(lua_State* L, std::string_view text, bool bytes) noexcept {
  lua::State& state = lua::State::of(L);
  Result<void> parsed = lua::parse(text, state.tape(), !bytes);
  if (parsed.ok()) return nullptr;
  state.scratch() = parsed.error().message;
  return code_of(parsed.error());
}

void drop_scratch(std::string& scratch) noexcept {
  scratch.clear();
  if (scratch.capacity() > k_kept_scratch_bytes) scratch.shrink_to_fit();
}

int l_encode(lua_State* L) {
  if (lua_gettop(L) == 0) lua::raise_usage(L, code::k_usage, "json.encode: there is no value");
  lua_settop(L, 2);
  lua::Options options(L, 2, "json.encode", k_encode_options);
  const bool pretty = options.boolean("pretty", false), bytes = options.boolean("bytes", false);
  std::string& scratch = lua::State::of(L).scratch();
  if (const char* code = put_text(L, pretty, bytes)) lua::raise_usage(L, code, "json.encode: %s", scratch.c_str());
  lua_pushlstring(L, scratch.data(), scratch.size());
  drop_scratch(scratch);
  return 1;
}

int l_decode(lua_State* L) {
  lua_settop(L, 2);
  const std::string_view text = lua::check_text(L, 1, "json.decode", "text");
  lua::Options options(L, 2, "json.decode", k_decode_options);
  const bool bytes = options.boolean("bytes", false);
  lua::State& state = lua::State::of(L);
  if (const char* code = put_tape(L, text, bytes))
    lua::raise_usage(L, code, "json.decode: %s", state.scratch().c_str());
  lua::push_tape(L, state.tape());
  return 1;
}

// The table that is to be tagged, at place 1: one of the script's own, without a metatable but for our tags.
void check_taggable(lua_State* L, const char* call) {
  if (lua_gettop(L) == 0) lua_createtable(L, 0, 0);
  lua_settop(L, 1);
  if (lua_type(L, 1) != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage, "%s: a table expected, not a %s", call, luaL_typename(L, 1));
  if (lua_getmetatable(L, 1) == 0) return;
  lua_createtable(L, 0, 0);  // bears the tags, to compare with
  lua::tag_array(L, 3);
  lua_getmetatable(L, 3);
  lua::tag_object(L, 3);
  lua_getmetatable(L, 3);
  if (lua_rawequal(L, 2, 4) == 0 && lua_rawequal(L, 2, 5) == 0)
    lua::raise_usage(L, code::k_usage, "%s: the table has a metatable of its own", call);
  lua_settop(L, 1);
}

int l_array(lua_State* L) {
  check_taggable(L, "json.array");
  lua::tag_array(L, 1);
  return 1;
}

int l_object(lua_State* L) {
  check_taggable(L, "json.object");
  lua::tag_object(L, 1);
  return 1;
}

}  // namespace

int open_json(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"encode", l_encode}, {"decode", l_decode}, {"array", l_array}, {"object", l_object}, {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  lua::push_null(L);
  lua_setfield(L, -2, "null");
  return 1;
}

}  // namespace perilune::api
