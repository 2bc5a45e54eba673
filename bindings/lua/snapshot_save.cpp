// Writing a snapshot; see snapshot.hpp. The Lua calls in here read only, but for the table of objects.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/snapshot.hpp"

namespace perilune::lua {

bool Snapshot::fail(const char* why) noexcept {
  trouble_ = why;
  return false;
}

void push_copy_of_list(lua_State* L, int table, uint32_t count) {
  lua_createtable(L, static_cast<int>(count), 0);
  for (uint32_t i = 1; i <= count; ++i) {
    lua_rawgeti(L, table, i);
    lua_rawseti(L, -2, i);
  }
}

void Snapshot::number_start(lua_State* L, int table, int roots, int items) {
  start_.number(L, table, roots, items, nullptr);
}

void Snapshot::begin_save() noexcept {
  now_ = ObjectGraph();
  text_.clear();
  trouble_.clear();
  codes_.clear();
  too_large_ = false;
}

bool Snapshot::save(lua_State* L, int table, int roots) {
  luaL_checkstack(L, 16, "snapshot");
  begin_save();
  if (!start_.repeatable()) return [&]() noexcept { return fail(start_.trouble().c_str()); }();
  const int top = lua_gettop(L), objects = top + 1;
  push_copy_of_list(L, table, static_cast<uint32_t>(start_.objects().size()));
  now_.number(L, objects, roots, 0, &start_);
  if (!now_.trouble().empty()) {
    lua_settop(L, top);
    return [&]() noexcept { return fail(now_.trouble().c_str()); }();
  }
  put("[");
  const uint32_t count = static_cast<uint32_t>(now_.objects().size());
  for (uint32_t number = 1; number <= count; ++number) {
    lua_rawgeti(L, objects, number);
    const bool written = write_object(L, number);
    lua_settop(L, objects);
    if (!written) return lua_settop(L, top), false;
  }
  put("],");
  write_ids(L, objects);
  put(",");
  write_api_tables(L);
  put(",[");
  const lua_Integer values = static_cast<lua_Integer>(lua_rawlen(L, roots));
  for (lua_Integer i = 2; i <= values; ++i) {
    if (i > 2) put(",");
    lua_rawgeti(L, roots, i);
    write_value(L);
    lua_settop(L, objects);
  }
  put("]]");
  [&]() noexcept { objects_text_.swap(text_), text_.clear(); }();
  put("[");
  for (size_t i = 0; i < now_.cells().size(); ++i) {
    const ObjectGraph::Cell& cell = now_.cells()[i];
    if (i > 0) put(",");
    lua_rawgeti(L, objects, cell.holder);
    lua_getupvalue(L, -1, cell.upvalue);
    write_value(L);
    lua_settop(L, objects);
  }
  put("],");
  lua_settop(L, top);
  return finish_save();
}

// Puts the head before what is written: text_ holds the cells, objects_text_ all that follows.
bool Snapshot::finish_save() noexcept {
  std::string head = "[1," + std::to_string(start_.objects().size()) + "," + std::to_string(start_.cells().size()) + "," +
                     std::to_string(script_.object_ids()) + ",[";
  for (size_t i = 0; i < codes_.size(); ++i) {
    std::string name;
    for (char c : *codes_[i].first) {
      if (c == '"' || c == '\\') name += '\\';
      name += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    head += (i > 0 ? ",\"" : "\"") + name + "\"," + std::to_string(codes_[i].second);
  }
  head += "],";
  text_.insert(0, head);
  text_ += objects_text_;
  objects_text_.clear();
  if (too_large_ || text_.size() > script_.state().limits().payload_bytes) return fail("what the loop reaches is larger than a payload may be");
  return true;
}

// The object is on top of the stack.
bool Snapshot::write_object(lua_State* L, uint32_t number) {
  if (number > 1) put(",");
  switch (now_.objects()[number - 1].kind) {
    case ObjectGraph::Kind::table:
      write_table(L, number);
      return true;
    case ObjectGraph::Kind::function:
      if (number > start_.objects().size()) return write_function(L, number);
      break;   // of the start: it is there, and its cells are written
    case ObjectGraph::Kind::closed:
      break;
  }
  put("null");
  return true;
}

void Snapshot::write_table(lua_State* L, uint32_t number) {
  const int table = lua_gettop(L);
  const char* before = "{";
  lua_Integer items = 0;
  while (lua_rawgeti(L, table, items + 1) != LUA_TNIL) {
    put(items++ == 0 ? "{\"a\":[" : ",");
    write_value(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (items > 0) put("]"), before = ",";
  bool fields = false;
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= items) continue;
    if (!fields) put(before), put("\"h\":[");
    else put(",");
    fields = true;
    lua_pushvalue(L, -2);
    write_value(L);
    lua_pop(L, 1);
    put(",");
    write_value(L);
  }
  if (fields) put("]"), before = ",";
  if (number != 1 && lua_getmetatable(L, table) != 0) {   // 1: the globals, whose metatable is the sandbox's
    put(before), put("\"m\":"), before = ",";
    write_metatable(L, number);
    lua_pop(L, 1);
  }
  put(*before == '{' ? "{}" : "}");
}

void Snapshot::write_metatable(lua_State* L, uint32_t) {
  const State::Hidden& hidden = State::of(L).hidden();
  const void* identity = lua_topointer(L, -1);
  if (identity == hidden.array_metatable) return write_pair("=", "array");
  if (identity == hidden.object_metatable) return write_pair("=", "object");
  if (identity == hidden.error_metatable) return write_pair("=", "error");
  if (identity == hidden.guard_metatable) return write_pair("=", "guard");
  write_value(L);
}

uint32_t Snapshot::code_number(const Prototypes::Id& id) noexcept {
  const std::pair<const std::string*, size_t> code{id.chunk, id.function};
  size_t at = static_cast<size_t>(std::find(codes_.begin(), codes_.end(), code) - codes_.begin());
  if (at == codes_.size()) codes_.push_back(code);
  return static_cast<uint32_t>(at);
}

bool Snapshot::write_function(lua_State* L, uint32_t number) {
  Prototypes::Id id{};
  if (!script_.prototypes().find(L, id)) {
    [&]() noexcept {
      now_.set_trouble(now_.objects()[number - 1].label, "a function that is not of the script's files can't be saved");
      fail(now_.trouble().c_str());
    }();
    return false;
  }
  put("["), write_number(code_number(id));
  for (int i = 1; lua_upvalueid(L, -1, i) != nullptr; ++i) put(","), write_number(now_.cell_of(lua_upvalueid(L, -1, i)));
  put("]");
  return true;
}

void Snapshot::write_ids(lua_State* L, int objects) {
  put("[");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_object_ids);
  const int ids = lua_gettop(L);
  lua_pushnil(L);
  if (lua_next(L, ids) != 0) {   // somebody was shown
    bool first = true;
    for (uint32_t number = 1; number <= now_.objects().size(); ++number) {
      lua_settop(L, ids);
      lua_rawgeti(L, objects, number);
      if (lua_rawget(L, ids) != LUA_TNUMBER) continue;
      if (!first) put(",");
      first = false;
      write_number(number), put(","), write_number(static_cast<uint64_t>(lua_tointeger(L, -1)));
    }
  }
  lua_settop(L, objects);
  put("]");
}

// Tables of the API that belong to the script: one that was made since the start must be found there again.
void Snapshot::write_api_tables(lua_State* L) {
  const int top = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_api);
  bool first = true;
  put("[");
  for (lua_pushnil(L); lua_next(L, top + 1) != 0; lua_settop(L, top + 2)) {
    const uint32_t number = lua_istable(L, top + 3) ? now_.number_of(lua_topointer(L, top + 3)) : 0;
    if (number <= start_.objects().size()) continue;
    if (!first) put(",");
    first = false;
    lua_pushvalue(L, top + 2);
    write_value(L);
    put(",[");
    write_number(number);
    put("]");
  }
  put("]");
  lua_settop(L, top);
}

void Snapshot::write_pair(const char* first, const char* second) noexcept {
  text_ += "[\"";
  text_ += first;
  if (second != nullptr) (text_ += "\",\"") += second;
  text_ += "\"]";
}

// The value on top of the stack; it stays there.
void Snapshot::write_value(lua_State* L) noexcept {
  switch (lua_type(L, -1)) {
    case LUA_TNIL:
      text_ += "null";
      return;
    case LUA_TNUMBER:
      if (!lua_isinteger(L, -1) && !std::isfinite(lua_tonumber(L, -1))) {
        const double number = lua_tonumber(L, -1);
        return write_pair("=", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
      }
      [[fallthrough]];
    case LUA_TBOOLEAN:
    case LUA_TSTRING: {
      const size_t before = text_.size();
      if (encode(L, lua_gettop(L), text_, "").ok()) return;
      text_.resize(before);
      text_ += "null";
      too_large_ = true;      // nothing else can be wrong with it
      return;
    }
    default:
      break;
  }
  if (is_null(L, -1)) return void(text_ += "[0]");
  const void* identity = lua_topointer(L, -1);
  if (const ObjectGraph::ApiName* name = now_.api_name(identity)) return write_pair(name->name, name->field);
  text_ += "[" + std::to_string(now_.number_of(identity)) + "]";
}

}  // namespace perilune::lua
