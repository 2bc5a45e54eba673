// The Lua side of a test file: the table `trial`, and mocks that are functions of the test. See bench.hpp.
//
// A run under test lives inside a call of the test's script; the functions that stand in for the world are then called
// back on that very coroutine, by lua_pcall: they may not await.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/api/api.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/testing/bench.hpp"
#include "runtime/base/units.hpp"

namespace perilune::testing {

using lua::LuaScript;
using nlohmann::json;

namespace {

lua_State* calling_now = nullptr;   // the test's coroutine, while a run under test lives inside its call

class LuaMocks final : public Mocks {
 public:
  LuaMocks(lua_State* main, int names_ref, int answer_ref) : main_(main), names_ref_(names_ref), answer_ref_(answer_ref) {}
  ~LuaMocks() override {
    luaL_unref(main_, LUA_REGISTRYINDEX, names_ref_);
    luaL_unref(main_, LUA_REGISTRYINDEX, answer_ref_);
  }

  bool has(const std::string& name) override {
    lua_State* L = calling_now;
    if (L == nullptr || lua_checkstack(L, 4) == 0) return false;
    lua_pushcfunction(L, l_has);
    lua_rawgeti(L, LUA_REGISTRYINDEX, names_ref_);
    lua_pushlightuserdata(L, const_cast<std::string*>(&name));
    bool found = lua_pcall(L, 2, 1, 0) == LUA_OK && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return found;
  }

  Answer answer(const std::string& name, const std::string& arguments) override {
    lua_State* L = calling_now;
    if (L == nullptr || lua_checkstack(L, 6) == 0) return {Error(code::k_internal, "no test is running"), 0};
    int top = lua_gettop(L);
    Answer answer{std::string("null"), 0};
    lua_pushcfunction(L, l_answer);
    lua_rawgeti(L, LUA_REGISTRYINDEX, answer_ref_);
    lua_pushlightuserdata(L, const_cast<std::string*>(&name));
    lua_pushlightuserdata(L, const_cast<std::string*>(&arguments));
    if (lua_pcall(L, 3, 2, 0) != LUA_OK) {
      answer.value = lua::error_from_value(L, -1, code::k_script);
    } else {
      answer.after_us = static_cast<int64_t>(lua_tonumber(L, -1) * 1e6);
      std::string text;
      Result<void> encoded = Result<void>();
      if (!lua_isnil(L, -2)) encoded = lua::encode(L, -2, text, "the mock of " + name);
      if (!encoded.ok()) answer.value = std::move(encoded.error());
      else if (!text.empty()) answer.value = std::move(text);
    }
    lua_settop(L, top);
    return answer;
  }

 private:
  static int l_has(lua_State* L) {
    const auto& name = *static_cast<std::string*>(lua_touserdata(L, 2));
    lua_pushlstring(L, name.data(), name.size());
    lua_rawget(L, 1);
    return 1;
  }
  static int l_answer(lua_State* L) {
    const auto& name = *static_cast<std::string*>(lua_touserdata(L, 2));
    const auto& arguments = *static_cast<std::string*>(lua_touserdata(L, 3));
    lua_settop(L, 1);
    lua_pushlstring(L, name.data(), name.size());
    lua::push_json(L, arguments);
    lua_call(L, 2, 2);
    return 2;
  }
  lua_State* main_;
  int names_ref_, answer_ref_;
};

// While a run under test lives, its mocks are called on this coroutine.
class Calling {
 public:
  explicit Calling(lua_State* L) : before_(calling_now) { calling_now = L; }
  ~Calling() { calling_now = before_; }

 private:
  lua_State* before_;
};

// A member of the order, which test.lua has checked.
Result<Trial::Order> read_order(const std::string& text) {
  json spec = json::parse(text, nullptr, false);
  if (!spec.is_object()) return Error(code::k_usage, "trial.start: the order is no table of names");
  Result<Trial::Order> order = Bench::now()->find(spec.value("name", ""));
  if (spec.contains("text")) order = Trial::Order{};
  if (!order.ok()) return order;
  if (spec.contains("text")) {
    order->file = spec.value("name", "inline") + ".lua";
    order->text = spec["text"].get<std::string>();
    order->directory = spec.value("directory", "");
  }
  if (spec.contains("input")) order->input = spec["input"].dump();
  order->workflow = spec.value("workflow", "");
  order->id = spec.value("id", order->id);
  for (const json& planned : spec.value("signals", json::array())) {
    Trial::Signal signal;
    signal.name = planned.value("name", "");
    if (planned.contains("value")) signal.value = planned["value"].dump();
    signal.at_us = static_cast<int64_t>(planned.value("at", 0.0) * 1e6);
    order->signals.push_back(std::move(signal));
  }
  return order;
}

// Work parts: false with an error in script.pending_error().
bool refuse(LuaScript& script, Error error) {
  script.pending_error() = std::move(error);
  return false;
}

bool start(lua_State* L, LuaScript& script, int names_ref, int answer_ref, size_t& handle) noexcept {
  auto mocks = std::make_unique<LuaMocks>(script.L(), names_ref, answer_ref);
  std::string text;
  Result<void> encoded = lua::encode(L, 1, text, "the order of a test run");
  if (!encoded.ok()) return refuse(script, std::move(encoded.error()));
  Result<Trial::Order> order = read_order(text);
  if (!order.ok()) return refuse(script, std::move(order.error()));
  order->settings = script.settings();
  handle = Bench::now()->begin(std::move(*order), std::move(mocks));
  return true;
}

int l_start(lua_State* L) {
  LuaScript& script = lua::enter_now(L, "trial.start");
  lua_settop(L, 3);
  lua::check_function(L, 3, "trial.start", "answer");
  int answer_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  int names_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  size_t handle = 0;
  if (!start(L, script, names_ref, answer_ref, handle)) lua::raise(L, std::move(script.pending_error()));
  lua_pushinteger(L, static_cast<lua_Integer>(handle));
  return 1;
}

Trial& check_trial(lua_State* L, const char* call) {
  lua::enter_now(L, call);
  Trial* trial = Bench::now()->trial(static_cast<size_t>(luaL_checkinteger(L, 1)));
  if (trial == nullptr) lua::raise_usage(L, code::k_usage, "%s: this run ended with the test that began it", call);
  return *trial;
}

enum class Act : uint8_t { live, run_on, advance, signal };

bool act(lua_State* L, Trial& trial, Act what, int64_t number) noexcept {
  Calling calling(L);
  std::string name, value = "null";
  switch (what) {
    case Act::live: trial.live(number < 0 ? k_uncut : static_cast<uint64_t>(number)); break;
    case Act::run_on: trial.run_on(); break;
    case Act::advance: trial.advance(number); break;
    case Act::signal: {
      name = lua_tostring(L, 2);
      if (lua_isnoneornil(L, 3)) break;
      value.clear();
      Result<void> encoded = lua::encode(L, 3, value, "signal");
      if (!encoded.ok()) return refuse(*lua::surroundings_of(L).live(), std::move(encoded.error()));
      break;
    }
  }
  if (what == Act::signal) trial.signal(name, value);
  return true;
}

int l_live(lua_State* L) { return act(L, check_trial(L, "trial.live"), Act::live, luaL_optinteger(L, 2, -1)), 0; }
int l_run_on(lua_State* L) { return act(L, check_trial(L, "trial.run_on"), Act::run_on, 0), 0; }

int l_advance(lua_State* L) {
  Trial& trial = check_trial(L, "trial.advance");
  return act(L, trial, Act::advance, lua::check_duration_us(L, 2, "advance")), 0;
}

int l_signal(lua_State* L) {
  Trial& trial = check_trial(L, "trial.signal");
  luaL_checkstring(L, 2);
  if (!act(L, trial, Act::signal, 0)) lua::raise(L, std::move(lua::surroundings_of(L).live()->pending_error()));
  return 0;
}

void view(Trial& trial, std::string& out) noexcept { out = trial.view_json(); }

int l_view(lua_State* L) {
  Trial& trial = check_trial(L, "trial.view");
  std::string& text = lua::State::of(L).scratch();
  view(trial, text);
  lua::push_json(L, text);
  return 1;
}

int l_records(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(check_trial(L, "trial.records").records()));
  return 1;
}

int l_clear(lua_State* L) {
  lua::enter_now(L, "trial.clear");
  Bench::now()->clear();
  return 0;
}

bool report(lua_State* L, LuaScript& script) noexcept {
  std::string text;
  Result<void> encoded = lua::encode(L, 1, text, "the report of a test");
  if (!encoded.ok()) return refuse(script, std::move(encoded.error()));
  json told = json::parse(text, nullptr, false);
  Verdict verdict;
  verdict.suite = told.value("suite", "");
  verdict.name = told.value("name", "");
  verdict.message = told.value("message", "");
  verdict.passed = told.value("outcome", "") == "passed";
  verdict.skipped = told.value("outcome", "") == "skipped";
  Bench::now()->report(verdict);
  return true;
}

int l_report(lua_State* L) {
  LuaScript& script = lua::enter_now(L, "trial.report");
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!report(L, script)) lua::raise(L, std::move(script.pending_error()));
  return 0;
}

int open_trial(lua_State* L) {
  static constexpr luaL_Reg functions[] = {{"start", l_start},     {"live", l_live},       {"run_on", l_run_on},
                                           {"advance", l_advance}, {"signal", l_signal},   {"view", l_view},
                                           {"records", l_records}, {"clear", l_clear},     {"report", l_report},
                                           {nullptr, nullptr}};
  luaL_newlib(L, functions);
  return 1;
}

}  // namespace

void open_test_api(lua_State* L) {
  static constexpr lua::LazyGlobal extra[] = {{"trial", open_trial}};
  api::open(L);
  lua::add_lazy_globals(L, extra, std::size(extra));
}

}  // namespace perilune::testing
