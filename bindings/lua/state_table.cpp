// The tables of `state`; see state_table.hpp. A table that stands for a plain one has three fields under keys that scripts
// can't have: the plain table, the table around it (or the view's number), and its key there.
// SPDX-License-Identifier: MIT
#include "bindings/lua/state_table.hpp"

#include <cmath>

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/tape.hpp"
#include "runtime/flow/state_records.hpp"

namespace perilune::lua {

using flow::StateView;

namespace {

constexpr char k_plain = 0, k_around = 0, k_key = 0;   // their addresses are the keys

// The plain tables of one view, by key: a registry reference to {key -> value}.
class PlainTables final : public flow::StateTables {
 public:
  PlainTables(LuaScript& script, int ref) : script_(script), ref_(ref) {}
  ~PlainTables() override { luaL_unref(script_.L(), LUA_REGISTRYINDEX, ref_); }
  Result<void> write_back(StateView& view) override;
  int ref() const { return ref_; }

 private:
  LuaScript& script_;
  int ref_;
};

Result<void> PlainTables::write_back(StateView& view) {
  lua_State* L = script_.L();
  if (lua_checkstack(L, 6) == 0) return Error(code::k_limit, "no stack is left to save the state");
  Result<void> result;
  const int top = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, ref_);
  for (lua_pushnil(L); lua_next(L, top + 1) != 0; lua_settop(L, top + 2)) {   // by sight: to push a key could raise
    size_t size = 0;
    const char* key = lua_tolstring(L, top + 2, &size);
    if (view.touched().find(std::string_view(key, size)) == view.touched().end()) continue;
    std::string text, what = "state." + std::string(key, size);
    Result<void> encoded = encode(L, top + 3, text, what);
    if (encoded.ok()) view.set({key, size}, std::make_shared<const std::string>(std::move(text)));
    else if (result.ok()) result = encoded.error();
  }
  lua_settop(L, top);
  return result;
}

// ---- views

StateView* view_to_read(LuaScript& script) noexcept {
  if (script.current() == nullptr) return nullptr;
  const task::Task* task = &script.current()->task();
  if (task->attempt != nullptr) task = task->attempt->caller;
  return StateView::find(*task);
}

StateView& view_to_write(lua_State* L, LuaScript& script) {
  if (script.current() == nullptr)
    raise_usage(L, code::k_usage, "state can't be changed here: the function decides, the run keeps what it returns");
  task::Task& task = script.current()->task();
  if (task.attempt != nullptr)
    raise_usage(L, code::k_usage,
                "state is read-only inside a step: after a crash the step is not run again and the change would be lost; "
                "return the value and assign it behind the step");
  return *[&]() noexcept { return &StateView::of(task); }();
}

void make_tables(LuaScript& script, StateView& view, int ref) noexcept {
  view.tables() = std::make_unique<PlainTables>(script, ref);
}

void forget_stale(StateView& view) noexcept { view.stale().clear(); }

// Pushes the plain tables of the view.
void push_plain_tables(lua_State* L, LuaScript& script, StateView& view) {
  luaL_checkstack(L, 8, "state");
  if (view.tables() == nullptr) {
    lua_newtable(L);
    make_tables(script, view, luaL_ref(L, LUA_REGISTRYINDEX));
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, static_cast<PlainTables&>(*view.tables()).ref());
  for (const std::string& key : view.stale()) {
    lua_pushlstring(L, key.data(), key.size());
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  forget_stale(view);
}

const std::string* text_in(StateView& view, lua_State* L, int key) noexcept {
  size_t size = 0;
  const char* name = lua_tolstring(L, key, &size);
  return view.find({name, size}).get();   // the view keeps it
}

// Pushes the plain value of a key (a string at index `key`), nil when there is none.
void push_plain(lua_State* L, StateView& view, int tables, int key) {
  lua_pushvalue(L, key);
  if (lua_rawget(L, tables) != LUA_TNIL) return;
  const std::string* text = text_in(view, L, key);
  if (text == nullptr) return;   // nil is there
  lua_pop(L, 1);
  push_json(L, *text);
  lua_pushvalue(L, key);
  lua_pushvalue(L, -2);
  lua_rawset(L, tables);
}

// Pushes the plain tables with all that the view holds.
void push_whole(lua_State* L, LuaScript& script) {
  StateView* view = view_to_read(script);
  if (view == nullptr) return lua_newtable(L);
  push_plain_tables(L, script, *view);
  const int tables = lua_gettop(L);
  const flow::StateMap* all = [&]() noexcept { return view->all().get(); }();   // the view keeps it
  for (const auto& [name, text] : *all) {
    lua_pushlstring(L, name.data(), name.size());
    push_plain(L, *view, tables, tables + 1);
    lua_settop(L, tables);
  }
}

// ---- tables that stand for plain ones

bool is_whole(lua_State* L, int index) {
  lua_rawgetp(L, index, &k_plain);
  const bool whole = lua_isnil(L, -1);
  lua_pop(L, 1);
  return whole;
}

// The plain table on top of the stack is replaced by the one that stands for it: under `key` of the state table `around`
// (for state itself: of the view with that number).
void stand_for(lua_State* L, int around, int key, uint64_t view) {
  luaL_checkstack(L, 6, "state");
  const int plain = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_state_tables);
  lua_pushvalue(L, plain);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, plain);
    lua_rawsetp(L, -2, &k_plain);
    if (around == 0) lua_pushinteger(L, static_cast<lua_Integer>(view));
    else lua_pushvalue(L, around);
    lua_rawsetp(L, -2, &k_around);
    lua_pushvalue(L, key);
    lua_rawsetp(L, -2, &k_key);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_state_metatable);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, plain);
    lua_pushvalue(L, -2);
    lua_rawset(L, plain + 1);
  }
  lua_replace(L, plain);
  lua_settop(L, plain);
}

// ".items[3]", appended to `out`. Raises nothing.
void append_place(lua_State* L, int table, std::string& out) noexcept {
  lua_rawgetp(L, table, &k_around);
  if (lua_istable(L, -1)) append_place(L, lua_gettop(L), out);
  lua_rawgetp(L, table, &k_key);
  if (lua_type(L, -1) == LUA_TNUMBER) out += "[" + std::to_string(lua_tointeger(L, -1)) + "]";
  else out.append(".").append(lua_tostring(L, -1));
  lua_pop(L, 2);
}

const char* place_text(lua_State* L, int table) noexcept {
  std::string& text = State::of(L).scratch();
  text = "state";
  append_place(L, table, text);
  return text.c_str();
}

// The table at `table` is part of this view: pushes the key at the top under which it lies.
void push_top_key(lua_State* L, int table, StateView& view, int tables) {
  luaL_checkstack(L, 12 + int(State::of(L).limits().depth), "state");
  lua_pushvalue(L, table);
  for (;;) {
    const int at = lua_gettop(L);
    lua_rawgetp(L, at, &k_plain);
    lua_rawgetp(L, at, &k_around);
    lua_rawgetp(L, at, &k_key);
    const bool top = !lua_istable(L, at + 2);
    if (top && static_cast<uint64_t>(lua_tointeger(L, at + 2)) != view.id())
      raise_usage(L, code::k_usage, "%s belongs to another task, which began with a state of its own: take it from `state` here",
                  place_text(L, table));
    lua_pushvalue(L, at + 3);
    if (top) lua_rawget(L, tables);
    else lua_rawgetp(L, at + 2, &k_plain), lua_insert(L, -2), lua_rawget(L, -2);
    if (!lua_rawequal(L, -1, at + 1))
      raise_usage(L, code::k_usage, "%s has been replaced since this table was taken from it: take it from `state` again",
                  place_text(L, table));
    lua_settop(L, at + 3);
    lua_replace(L, at);
    if (top) return lua_settop(L, at);
    lua_pushvalue(L, at + 2);
    lua_replace(L, at);
    lua_settop(L, at);
  }
}

// ---- assignment

bool encode_into(lua_State* L, LuaScript& script, int value, const char* place, std::string& out) noexcept {
  const std::string what = place;
  out.clear();
  Result<void> encoded = encode(L, value, out, what);
  if (encoded.ok()) return true;
  script.pending_error() = std::move(encoded.error());
  return false;
}

// The value at `value` as JSON text in State::scratch().
void check_value(lua_State* L, LuaScript& script, int value, const char* place) {
  if (!encode_into(L, script, value, place, State::of(L).scratch())) raise(L, std::move(script.pending_error()));
}

void put_text(StateView& view, lua_State* L, int key, int value) noexcept {
  size_t size = 0;
  const char* name = lua_tolstring(L, key, &size);
  std::string& text = State::of(L).scratch();
  view.set({name, size}, lua_isnil(L, value) ? nullptr : std::make_shared<const std::string>(text));
}

void touch(StateView& view, lua_State* L, int key) noexcept {
  size_t size = 0;
  const char* name = lua_tolstring(L, key, &size);
  view.touch({name, size});
}

// state.key = value. Stack: state, key, value.
int assign_key(lua_State* L, LuaScript& script) {
  if (lua_type(L, 2) != LUA_TSTRING)
    raise_usage(L, code::k_usage, "the keys of state are strings, not a %s: put lists into a key of it", luaL_typename(L, 2));
  StateView& view = view_to_write(L, script);
  push_plain_tables(L, script, view);   // 4
  char place[200];
  lua_pushfstring(L, "state.%s", lua_tostring(L, 2));
  std::snprintf(place, sizeof place, "%s", lua_tostring(L, -1));
  lua_settop(L, 4);
  if (!lua_isnil(L, 3)) check_value(L, script, 3, place);
  put_text(view, L, 2, 3);
  lua_pushvalue(L, 2);
  if (lua_istable(L, 3)) lua_pushnil(L);   // the copy is made when it is read
  else lua_pushvalue(L, 3);
  lua_rawset(L, 4);
  return 0;
}

void check_key(lua_State* L, int table) {
  if (lua_type(L, 2) == LUA_TSTRING || (lua_isinteger(L, 2) && lua_tointeger(L, 2) >= 1)) return;
  int exact = 0;
  if (lua_type(L, 2) == LUA_TNUMBER && lua_tointegerx(L, 2, &exact) >= 1 && exact != 0) return;
  raise_usage(L, code::k_validation, "%s: keys are strings or whole numbers from 1, not %s", place_text(L, table),
              lua_type(L, 2) == LUA_TNUMBER ? "such a number" : luaL_typename(L, 2));
}

// The value at 3 as it is kept: tables are copied. Pushes it.
void push_copy(lua_State* L, LuaScript& script) {
  const bool number = lua_type(L, 3) == LUA_TNUMBER && (lua_isinteger(L, 3) || std::isfinite(lua_tonumber(L, 3)));
  if (number || lua_isnil(L, 3) || lua_isboolean(L, 3) || lua_type(L, 3) == LUA_TSTRING || is_null(L, 3))
    return lua_pushvalue(L, 3);
  char place[200];
  std::snprintf(place, sizeof place, "%s", place_text(L, 1));
  check_value(L, script, 3, place);
  push_json(L, State::of(L).scratch());
}

// A key of a table in it. Stack: table, key, value.
int assign_inside(lua_State* L, LuaScript& script) {
  StateView& view = view_to_write(L, script);
  push_plain_tables(L, script, view);   // 4
  push_top_key(L, 1, view, 4);          // 5
  check_key(L, 1);
  lua_rawgetp(L, 1, &k_plain);          // 6
  lua_pushvalue(L, 2);
  push_copy(L, script);
  lua_rawset(L, 6);
  touch(view, L, 5);
  return 0;
}

int l_newindex(lua_State* L) {
  LuaScript& script = enter_now(L, "state");
  lua_settop(L, 3);
  luaL_checkstack(L, 12, "state");
  return is_whole(L, 1) ? assign_key(L, script) : assign_inside(L, script);
}

// ---- reading

int l_index(lua_State* L) {
  LuaScript& script = enter_now(L, "state");
  lua_settop(L, 2);
  luaL_checkstack(L, 12, "state");
  if (!is_whole(L, 1)) {
    lua_rawgetp(L, 1, &k_plain);
    lua_pushvalue(L, 2);
    lua_rawget(L, 3);
    push_inside(L, 1, 2);
    return 1;
  }
  StateView* view = lua_type(L, 2) == LUA_TSTRING ? view_to_read(script) : nullptr;
  if (view == nullptr) return 0;
  push_plain_tables(L, script, *view);
  push_plain(L, *view, 3, 2);
  push_inside(L, 1, 2);
  return 1;
}

int l_len(lua_State* L) {
  push_behind_state(L, 1);
  lua_pushinteger(L, static_cast<lua_Integer>(lua_rawlen(L, -1)));
  return 1;
}

// The iterator: upvalues table, keys, position.
int l_following(lua_State* L) {
  lua_Integer position = lua_isnoneornil(L, 2) ? 0 : lua_tointeger(L, lua_upvalueindex(3));
  lua_settop(L, 0);
  while (lua_rawgeti(L, lua_upvalueindex(2), ++position) != LUA_TNIL) {
    lua_pushvalue(L, 1);
    if (lua_gettable(L, lua_upvalueindex(1)) != LUA_TNIL) {   // not: it has gone since
      lua_pushinteger(L, position);
      lua_replace(L, lua_upvalueindex(3));
      return 2;
    }
    lua_settop(L, 0);
  }
  lua_pushnil(L);
  return 1;
}

int l_state_pairs(lua_State* L) {
  lua_settop(L, 1);
  push_behind_state(L, 1);
  lua_pushvalue(L, 1);
  push_sorted_keys(L, 2, "pairs");
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, l_following, 3);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

void push_metatable(lua_State* L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_state_metatable) == LUA_TTABLE) return;
  lua_pop(L, 1);
  static constexpr luaL_Reg k_methods[] = {
      {"__index", l_index}, {"__newindex", l_newindex}, {"__len", l_len}, {"__pairs", l_state_pairs}, {nullptr, nullptr}};
  lua_createtable(L, 0, 5);
  luaL_setfuncs(L, k_methods, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_createtable(L, 0, 0);   // plain -> the table that stands for it, as long as the plain one is there
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry::k_state_tables);
  State::of(L).hidden().state_metatable = lua_topointer(L, -1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry::k_state_metatable);
}

}  // namespace

void push_state(lua_State* L) {
  lua_createtable(L, 0, 0);
  push_metatable(L);
  lua_setmetatable(L, -2);
}

bool is_state_table(lua_State* L, int index) noexcept {
  const void* metatable = State::of(L).hidden().state_metatable;
  if (metatable == nullptr || lua_type(L, index) != LUA_TTABLE || lua_getmetatable(L, index) == 0) return false;
  const bool is = lua_topointer(L, -1) == metatable;
  lua_pop(L, 1);
  return is;
}

void push_behind_state(lua_State* L, int index) {
  index = lua_absindex(L, index);
  if (lua_rawgetp(L, index, &k_plain) != LUA_TNIL) return;
  lua_pop(L, 1);
  push_whole(L, enter_now(L, "state"));
}

void push_inside(lua_State* L, int table, int key) {
  if (!lua_istable(L, -1)) return;
  StateView* view = is_whole(L, table) ? view_to_read(*surroundings_of(L).live()) : nullptr;
  stand_for(L, view != nullptr ? 0 : table, key, view != nullptr ? view->id() : 0);
}

Result<void> write_state(lua_State* L, std::string& out) noexcept {
  LuaScript* script = surroundings_of(L).live();
  StateView* view = script == nullptr ? nullptr : view_to_read(*script);
  if (view == nullptr) return out += "{}", Result<void>();
  if (Result<void> settled = view->settle(); !settled.ok()) return settled.error();
  out += flow::state_json(*view->all());
  return {};
}

const void* state_plain_key() { return &k_plain; }

namespace {
bool settle(LuaScript& script, StateView& view) noexcept {
  Result<void> settled = view.settle();
  if (settled.ok()) return true;
  script.pending_error() = std::move(settled.error());
  return false;
}
}  // namespace

void settle_state(lua_State* L, LuaScript& script) {
  if (script.current() == nullptr) return;
  StateView* view = StateView::find(script.current()->task());
  if (view == nullptr || view->touched().empty()) return;
  if (!settle(script, *view)) raise(L, std::move(script.pending_error()));
}

}  // namespace perilune::lua
