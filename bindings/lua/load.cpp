// Compiling: for the host (load_text, bytecode that the host alone makes) and for scripts (load).
// Promises: a text of a script is never taken for bytecode; a text that would keep the parser busy for seconds (it is
// quadratic in the number of elseif, goto, break and labels) is refused before it is parsed. A file may begin with a
// byte order mark and with a
// `#!` line, whatever its line ends are.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <string>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/sandbox.hpp"

namespace perilune::lua {
namespace {

constexpr size_t k_source_bytes_max = 4u << 20;
constexpr size_t k_word_max = 10'000;

// Of these the parser keeps a list that it walks, or shifts, at each of them.
constexpr std::string_view k_counted_words[] = {"elseif", "goto", "break", "::"};

const char* too_many(std::string_view word) {
  switch (word[0]) {
    case 'e':
      return "a source with more than 10000 elseif can't be loaded";
    case 'g':
      return "a source with more than 10000 goto can't be loaded";
    case 'b':
      return "a source with more than 10000 break can't be loaded";
    default:
      return "a source with more than 10000 labels can't be loaded";
  }
}

// Null when the text may be given to the parser, else why not.
const char* refusal(std::string_view source) {
  if (source.size() > k_source_bytes_max) return "a source over 4 MiB can't be loaded";
  if (!source.empty() && source[0] == LUA_SIGNATURE[0]) return "attempt to load a binary chunk (only text is accepted)";
  for (std::string_view word : k_counted_words) {
    size_t found = 0;
    for (size_t at = source.find(word); at != source.npos; at = source.find(word, at + word.size())) {
      if (++found > k_word_max) return too_many(word);
    }
  }
  return nullptr;
}

// The text of a file without what may stand before its Lua. The end of a `#!` line stays, so that lines keep their
// numbers.
std::string_view lua_of_file(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  if (text.starts_with('#')) text.remove_prefix(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

Error syntax_error(std::string_view message) { return Error(code::k_syntax, std::string(message)); }

// The failure that a load has left on the stack, as an Error; the stack is then as before the load.
Error take_load_error(lua_State* L, int status) {
  Error error = status == LUA_ERRMEM ? Error(code::k_memory, "not enough memory to load the source")
                                     : error_from_value(L, -1, code::k_syntax);
  error.retry = false;
  lua_pop(L, 1);
  return error;
}

int append_dump(lua_State*, const void* bytes, size_t size, void* out) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return 0;
}

// The pieces of a reader function, joined on the Lua side. Done before the parser runs: a reader that is called by the
// parser would run in a protected call that swallows a kill. Leaves the text on the stack.
void push_joined_pieces(lua_State* L, int reader) {
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  size_t total = 0;
  for (;;) {
    lua_pushvalue(L, reader);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) break;
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "reader function must return a string");
    const size_t size = lua_rawlen(L, -1);
    if (size == 0) break;
    total += size;
    if (total > k_source_bytes_max) luaL_error(L, "a source over 4 MiB can't be loaded");
    luaL_addvalue(&text);
  }
  lua_pop(L, 1);
  luaL_pushresult(&text);
}

// A name stands in messages and logs, where control characters could pass for something else.
void check_chunk_name(lua_State* L, const char* name) {
  for (const char* at = name; *at != 0; ++at) {
    const bool control = static_cast<unsigned char>(*at) < ' ' || *at == 0x7f;
    const bool of_text = name[0] != '=' && name[0] != '@' && std::strchr("\t\n\r", *at) != nullptr;
    if (control && !of_text) luaL_argerror(L, 2, "a chunk name can't hold control characters");
  }
}

int fail_load(lua_State* L, const char* message) {
  luaL_pushfail(L);
  lua_pushstring(L, message);
  return 2;
}

}  // namespace

Result<void> load_text(lua_State* L, std::string_view file_text, const char* chunk_name) {
  const std::string_view source = lua_of_file(file_text);
  if (const char* why = refusal(source)) return syntax_error(why);
  if (!lua_checkstack(L, 2)) return Error(code::k_limit, "no stack left to load a source");
  const int status = luaL_loadbufferx(L, source.data(), source.size(), chunk_name, "t");
  if (status == LUA_OK) return {};
  return take_load_error(L, status);
}

Result<std::string> compile_text(std::string_view file_text, const char* chunk_name) {
  const std::string_view source = lua_of_file(file_text);
  if (const char* why = refusal(source)) return syntax_error(why);
  lua_State* L = luaL_newstate();
  if (L == nullptr) return Error(code::k_memory, "no memory for a Lua state");
  std::string bytecode;
  const int status = luaL_loadbufferx(L, source.data(), source.size(), chunk_name, "t");
  Error error;
  if (status == LUA_OK) {
    lua_dump(L, append_dump, &bytecode, 0);
  } else if (status == LUA_ERRMEM) {
    error = Error(code::k_memory, "not enough memory to compile the source");
  } else {
    error = syntax_error(lua_tostring(L, -1));
  }
  lua_close(L);
  if (status == LUA_OK) return bytecode;
  error.retry = false;
  return error;
}

Result<void> load_bytecode(lua_State* L, std::string_view bytecode, const char* chunk_name) {
  if (!lua_checkstack(L, 2)) return Error(code::k_limit, "no stack left to load a source");
  const int status = luaL_loadbufferx(L, bytecode.data(), bytecode.size(), chunk_name, "b");
  if (status == LUA_OK) return {};
  return take_load_error(L, status);
}

// load(chunk, [chunk name, [mode, [env]]]): as in Lua, but text only.
int l_load(lua_State* L) {
  const char* mode = luaL_optstring(L, 3, "t");
  const bool own_environment = !lua_isnone(L, 4);
  const bool is_text = lua_type(L, 1) == LUA_TSTRING;
  if (!is_text) luaL_checktype(L, 1, LUA_TFUNCTION);
  const char* name = luaL_optstring(L, 2, is_text ? lua_tostring(L, 1) : "=(load)");
  if (!lua_isnoneornil(L, 2)) check_chunk_name(L, name);
  lua_settop(L, 4);
  if (!is_text) push_joined_pieces(L, 1);
  size_t size = 0;
  const char* source = lua_tolstring(L, is_text ? 1 : 5, &size);
  if (std::strchr(mode, 't') == nullptr) return fail_load(L, "attempt to load a text chunk (mode must allow 't')");
  if (const char* why = refusal({source, size})) return fail_load(L, why);
  const int status = luaL_loadbufferx(L, source, size, name, "t");
  State::of(L).after_protected_call(L, status);
  if (status != LUA_OK) {
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
  }
  if (own_environment) {
    lua_pushvalue(L, 4);
    if (lua_setupvalue(L, -2, 1) == nullptr) lua_pop(L, 1);
  }
  return 1;
}

}  // namespace perilune::lua
