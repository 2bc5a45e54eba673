// Queries: the functions that a script has registered with answer(), and how one is asked. It runs outside of every task, in a
// call that can't suspend; script.hpp has the face, api/api_answer.cpp the function that registers.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/script.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "runtime/base/nearest.hpp"

namespace perilune::lua {

namespace {

struct Question {
  LuaScript& script;
  const std::string& name;
  const std::string& input;
  Result<std::string> answer;
};

void not_registered(lua_State* L, int names, Question& question) noexcept {
  std::vector<std::string> registered;
  for (lua_pushnil(L); names != 0 && lua_next(L, names) != 0; lua_pop(L, 1)) registered.emplace_back(lua_tostring(L, -2));
  std::sort(registered.begin(), registered.end());
  std::vector<std::string_view> views(registered.begin(), registered.end());
  question.answer = Error(code::k_not_found, views.empty() ? "the run answers no queries: its script has not called answer(name, fn)"
                                                           : unknown_name("query", question.name, "this run", views));
}

void take_answer(lua_State* L, Question& question) noexcept {
  std::string text;
  Result<void> encoded = encode(L, lua_gettop(L), text, "answer");
  if (encoded.ok()) question.answer = std::move(text);
  else question.answer = encoded.error();
}

int l_ask(lua_State* L) {
  Question& question = *static_cast<Question*>(lua_touserdata(L, 1));
  int names = lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_answers) == LUA_TTABLE ? lua_gettop(L) : 0;
  if (names != 0) lua_pushlstring(L, question.name.data(), question.name.size());
  if (names == 0 || lua_rawget(L, names) != LUA_TFUNCTION) return not_registered(L, names, question), 0;
  if (question.input == "null") lua_pushnil(L);   // nothing was given
  else push_json(L, question.input);
  lua_call(L, 1, 1);
  take_answer(L, question);
  return 0;
}

}  // namespace

Result<std::string> LuaScript::query(const std::string& name, const std::string& input_json) {
  if (state_->killed()) return state_->kill_error();
  Question question{*this, name, input_json, Error(code::k_internal, "the query was not asked")};
  lua_State* main = L();
  if (lua_checkstack(main, 4) == 0) return Error(code::k_memory, "no memory is left for a query");
  state_->begin_slice();
  answering_ = true;
  lua_pushcfunction(main, l_ask);
  lua_pushlightuserdata(main, &question);
  int status = lua_pcall(main, 1, 0, 0);
  answering_ = false;
  if (state_->killed()) return state_->kill_error();
  if (status == LUA_OK) return std::move(question.answer);
  Error error = error_from_value(main, -1, code::k_script);
  lua_pop(main, 1);
  return error;
}

}  // namespace perilune::lua
