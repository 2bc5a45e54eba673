// Putting a snapshot back; see snapshot.hpp. First all objects are made and their cells joined, then cells and tables are
// filled: by then every number has its object.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/snapshot.hpp"

namespace perilune::lua {

using Kind = Tape::Kind;

namespace {

void push_registry(lua_State* L, const void* key) { lua_rawgetp(L, LUA_REGISTRYINDEX, key); }

}  // namespace

const Tape::Token* Snapshot::open(Kind kind) noexcept {
  if (at_ >= tape_.tokens.size() || tape_.tokens[at_].kind != kind) return nullptr;
  return &tape_.tokens[at_++];
}

void Snapshot::skip() noexcept {
  for (size_t left = 1; left > 0 && at_ < tape_.tokens.size(); --left) {
    const Token& token = tape_.tokens[at_++];
    if (token.kind == Kind::k_array) left += token.size;
    else if (token.kind == Kind::k_object) left += 2 * size_t{token.size};
  }
}

bool Snapshot::read_codes() noexcept {
  const Token* list = open(Kind::k_array);
  if (list == nullptr) return false;
  named_codes_.clear();
  for (uint32_t left = list->size / 2; left > 0; --left) {
    const Token* chunk = open(Kind::k_string);
    const Token* function = chunk == nullptr ? nullptr : open(Kind::k_integer);
    if (function == nullptr) return false;
    named_codes_.emplace_back(text_of(*chunk), static_cast<size_t>(function->integer));
  }
  return true;
}

bool Snapshot::begin_restore(std::string_view text) noexcept {
  trouble_.clear();
  tape_.clear();
  at_ = 0;
  if (!parse(text, tape_).ok() || open(Kind::k_array) == nullptr) return fail("it can't be read");
  const Token* format = open(Kind::k_integer);
  if (format == nullptr || format->integer != 1) return fail("its format is not known");
  const Token* objects = open(Kind::k_integer);
  const Token* cells = objects == nullptr ? nullptr : open(Kind::k_integer);
  const Token* ids = cells == nullptr ? nullptr : open(Kind::k_integer);
  if (ids == nullptr || !read_codes()) return fail("it can't be read");
  if (static_cast<size_t>(objects->integer) != start_.objects().size() ||
      static_cast<size_t>(cells->integer) != start_.cells().size())
    return fail("before the loop the script holds other objects than it did then");
  script_.set_object_ids(static_cast<uint64_t>(ids->integer));
  cells_at_ = at_;
  if (tape_.tokens[at_].kind != Kind::k_array) return fail("it can't be read");
  holders_ = start_.cells();
  holders_.resize(std::max(holders_.size(), size_t{tape_.tokens[at_].size}), {0, 0, 0});
  skip();
  objects_at_ = at_;
  return true;
}

bool Snapshot::restore(lua_State* L, int table, int roots, std::string_view text) {
  luaL_checkstack(L, 16, "snapshot");
  if (!begin_restore(text)) return false;
  const int top = lua_gettop(L), objects = top + 1;
  push_copy_of_list(L, table, static_cast<uint32_t>(start_.objects().size()));
  bool done = make_objects(L, objects) && set_cells(L, objects) && fill_objects(L, objects) && set_ids(L, objects) &&
              set_api_tables(L, objects);
  if (done) {
    const Token* values = open(Kind::k_array);
    done = values != nullptr;
    for (uint32_t i = 0; done && i < values->size; ++i) {
      done = push_value(L, objects);
      if (done) lua_rawseti(L, roots, lua_Integer{i} + 2);
    }
  }
  lua_settop(L, top);
  return done || fail(trouble_.empty() ? "it can't be read" : std::string(trouble_).c_str());
}

bool Snapshot::make_objects(lua_State* L, int objects) {
  at_ = objects_at_;
  const Token* list = open(Kind::k_array);
  if (list == nullptr) return false;
  for (uint32_t number = 1; number <= list->size; ++number) {
    if (number <= start_.objects().size()) {
      skip();
    } else if (at_ < tape_.tokens.size() && tape_.tokens[at_].kind == Kind::k_array) {
      if (!make_function(L, objects, number)) return false;
    } else {
      lua_createtable(L, 0, 0);
      lua_rawseti(L, objects, number);
      skip();
    }
  }
  return true;
}

bool Snapshot::make_function(lua_State* L, int objects, uint32_t number) {
  const Token* list = open(Kind::k_array);
  const Token* code = open(Kind::k_integer);
  if (code == nullptr || static_cast<size_t>(code->integer) >= named_codes_.size()) return false;
  const auto& [chunk, function] = named_codes_[static_cast<size_t>(code->integer)];
  if (!script_.prototypes().push(L, chunk, function)) return fail("the code of a function is not in the bundle");
  const int made = lua_gettop(L);
  for (uint32_t i = 1; i < list->size; ++i) {
    const Token* cell = open(Kind::k_integer);
    const size_t place = cell == nullptr ? 0 : static_cast<size_t>(cell->integer);
    if (place == 0 || place > holders_.size() || lua_upvalueid(L, made, static_cast<int>(i)) == nullptr) return false;
    ObjectGraph::Cell& holder = holders_[place - 1];
    if (holder.holder == 0) {   // a fresh cell of its own: load has put the globals into the first one
      holder = {number, static_cast<int>(i), 0};
      continue;
    }
    if (holder.holder == number) {
      lua_upvaluejoin(L, made, static_cast<int>(i), made, holder.upvalue);
      continue;
    }
    lua_rawgeti(L, objects, holder.holder);
    lua_upvaluejoin(L, made, static_cast<int>(i), -1, holder.upvalue);
    lua_pop(L, 1);
  }
  lua_rawseti(L, objects, number);
  return true;
}

bool Snapshot::set_cells(lua_State* L, int objects) {
  at_ = cells_at_;
  const Token* list = open(Kind::k_array);
  if (list == nullptr) return false;
  for (uint32_t i = 0; i < list->size; ++i) {
    if (holders_[i].holder == 0) return false;
    lua_rawgeti(L, objects, holders_[i].holder);
    if (!push_value(L, objects)) return false;
    if (lua_setupvalue(L, -2, holders_[i].upvalue) == nullptr) return false;
    lua_pop(L, 1);
  }
  return true;
}

bool Snapshot::fill_objects(lua_State* L, int objects) {
  const Token* list = open(Kind::k_array);
  if (list == nullptr) return false;
  for (uint32_t number = 1; number <= list->size; ++number) {
    if (at_ >= tape_.tokens.size()) return false;
    if (tape_.tokens[at_].kind != Kind::k_object) {
      skip();
    } else if (!fill_table(L, objects, number)) {
      return false;
    }
  }
  return true;
}

bool Snapshot::fill_table(lua_State* L, int objects, uint32_t number) {
  const Token* parts = open(Kind::k_object);
  if (lua_rawgeti(L, objects, number) != LUA_TTABLE) return false;
  const int table = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, table) != 0;) {   // what the replay has put there so far
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, table);
  }
  bool metatable = false;
  for (uint32_t part = 0; part < parts->size; ++part) {
    const Token* name = open(Kind::k_string);
    if (name == nullptr) return false;
    if (text_of(*name) == "m") {
      metatable = true;
      if (!set_metatable(L, objects, number)) return false;
      continue;
    }
    const bool items = text_of(*name) == "a";
    const Token* list = open(Kind::k_array);
    if (list == nullptr) return false;
    for (uint32_t i = 1; i <= (items ? list->size : list->size / 2); ++i) {
      if (!push_value(L, objects)) return false;
      if (items) {
        lua_rawseti(L, table, i);
        continue;
      }
      if (lua_isnil(L, -1) || !push_value(L, objects)) return false;
      lua_rawset(L, table);
    }
  }
  if (!metatable && number != 1) lua_pushnil(L), lua_setmetatable(L, table);
  lua_settop(L, table - 1);
  return true;
}

// The table is on top of the stack, the metatable's value comes next.
bool Snapshot::set_metatable(lua_State* L, int objects, uint32_t number) {
  const int table = lua_gettop(L);
  if (!push_value(L, objects) || !lua_istable(L, -1) || number == 1) return false;
  lua_setmetatable(L, table);
  return true;
}

bool Snapshot::set_ids(lua_State* L, int objects) {
  const Token* list = open(Kind::k_array);
  if (list == nullptr) return false;
  push_registry(L, &registry::k_object_ids);
  for (uint32_t left = list->size / 2; left > 0; --left) {
    const Token* number = open(Kind::k_integer);
    const Token* id = number == nullptr ? nullptr : open(Kind::k_integer);
    if (id == nullptr || lua_rawgeti(L, objects, number->integer) == LUA_TNIL) return false;
    lua_pushinteger(L, id->integer);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  return true;
}

bool Snapshot::set_api_tables(lua_State* L, int objects) {
  const Token* list = open(Kind::k_array);
  if (list == nullptr) return false;
  push_registry(L, &registry::k_api);
  for (uint32_t left = list->size / 2; left > 0; --left) {
    if (!push_value(L, objects) || lua_isnil(L, -1) || !push_value(L, objects)) return false;
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  return true;
}

void Snapshot::push_text(lua_State* L, const Token& token) {
  const std::string_view text = text_of(token);
  lua_pushlstring(L, text.data(), text.size());
}

bool Snapshot::push_value(lua_State* L, int objects) {
  if (at_ >= tape_.tokens.size()) return false;
  const Token token = tape_.tokens[at_++];
  switch (token.kind) {
    case Kind::k_null:
      return lua_pushnil(L), true;
    case Kind::k_false:
    case Kind::k_true:
      return lua_pushboolean(L, token.kind == Kind::k_true), true;
    case Kind::k_integer:
      return lua_pushinteger(L, token.integer), true;
    case Kind::k_number:
      return lua_pushnumber(L, token.number), true;
    case Kind::k_string:
      return push_text(L, token), true;
    case Kind::k_object:
      return false;
    case Kind::k_array:
      break;
  }
  if (at_ >= tape_.tokens.size() || token.size == 0 || token.size > 2) return false;
  if (tape_.tokens[at_].kind == Kind::k_string) return push_named(L, token.size);
  const Token* number = open(Kind::k_integer);
  if (number == nullptr) return false;
  if (number->integer == 0) return push_null(L), true;
  return lua_rawgeti(L, objects, number->integer) != LUA_TNIL;
}

// A value of the API by its name, or one of the runtime's.
bool Snapshot::push_named(lua_State* L, uint32_t parts) {
  const Token first = *open(Kind::k_string);
  const Token* second = parts == 2 ? open(Kind::k_string) : nullptr;
  if (parts == 2 && second == nullptr) return false;
  if (second != nullptr && text_of(first) == "=") {
    const std::string_view what = text_of(*second);
    if (what == "array") return push_registry(L, &registry::k_array_metatable), true;
    if (what == "object") return push_registry(L, &registry::k_object_metatable), true;
    if (what == "error") return push_registry(L, &registry::k_error_metatable), true;
    if (what == "guard") return push_registry(L, &registry::k_guard_metatable), true;
    const double inf = std::numeric_limits<double>::infinity();
    return lua_pushnumber(L, what == "inf" ? inf : what == "-inf" ? -inf : std::nan("")), true;
  }
  push_registry(L, &registry::k_api);
  push_text(L, first);
  lua_gettable(L, -2);   // made at its first use
  lua_remove(L, -2);
  if (second == nullptr) return true;
  if (!push_behind_lock(L, lua_gettop(L))) return false;
  push_text(L, *second);
  lua_rawget(L, -2);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return !lua_isnil(L, -1);
}

}  // namespace perilune::lua
