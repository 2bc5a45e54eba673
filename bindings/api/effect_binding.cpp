// Effects as steps or as parts of one; see effect_binding.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/effect_binding.hpp"

#include "bindings/api/hooked.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;

namespace {

// In a test: the effect is not begun, something else answers.
flow::EffectStep::Start stood_in(effects::StandIn& stand_in, const char* call, std::string arguments) {
  return [&stand_in, call, arguments = std::move(arguments)](const task::AttemptContext& attempt,
                                                             effects::Done<std::string> done) {
    return stand_in.effect(call, arguments, attempt, std::move(done));
  };
}

// Hooks may have replaced the arguments: then they are read again.
flow::EffectStep::Start with_replaced(const EffectKind& kind, engine::RunContext& context, std::string arguments,
                                      flow::EffectStep::Start start) {
  return [&kind, &context, arguments = std::move(arguments), start = std::move(start)](
             const task::AttemptContext& attempt, effects::Done<std::string> done) -> std::unique_ptr<effects::Effect> {
    if (attempt.input == arguments) return start(attempt, std::move(done));
    Result<flow::EffectStep::Start> other = kind.prepare(attempt.input, context);
    if (other.ok()) return (*other)(attempt, std::move(done));
    return effects::play(context.execution().loop(), other.error(), 0, std::move(done));
  };
}

// Work: false with an error in script.pending_error().
bool begin(lua_State* L, LuaScript& script, const EffectKind& kind, int first, bool& ready) noexcept {
  const bool hooked = first > 1;   // told by the script's hooks
  std::string arguments = "[";
  for (int i = first; i <= lua_gettop(L); ++i) {
    if (i > first) arguments += ',';
    Result<void> encoded = lua::encode(L, i, arguments, kind.call);
    if (!encoded.ok()) {
      script.pending_error() = std::move(encoded.error());
      return false;
    }
  }
  arguments += ']';
  Result<flow::EffectStep::Start> start = kind.prepare(arguments, script.context());
  if (effects::StandIn* stand_in = script.context().effects().stand_in(); stand_in != nullptr && start.ok())
    start = stood_in(*stand_in, kind.call, arguments);
  if (!start.ok()) {
    script.pending_error() = std::move(start.error());
    return false;
  }
  LuaTask& task = *script.current();
  flow::Execution& execution = script.execution();
  if (const task::AttemptContext* attempt = task.task().attempt) {
    auto call = std::make_unique<flow::EffectCall>(
        execution, kind.call,
        [attempt, start = std::move(*start)](effects::Done<std::string> done) { return start(*attempt, std::move(done)); });
    flow::EffectCall& begun = *call;
    task.fill({std::move(call), lua::push_outcome, LUA_NOREF});
    ready = begun.begin(task.task());
    return true;
  }
  flow::StepSpec spec;
  spec.name = kind.call;
  spec.retry.attempts = 1;
  spec.fingerprint = flow::fingerprint({arguments});
  if (hooked) {
    spec.decided = std::move(script.told().decided);
    spec.key_of = script.told().again;
    spec.wants_facts = true;
  }
  spec.input = arguments;
  *start = with_replaced(kind, script.context(), std::move(arguments), std::move(*start));
  auto step = std::make_unique<flow::Step>(execution, std::move(spec),
                                           std::make_unique<flow::EffectStep>(execution, kind.call, std::move(*start)));
  flow::Step& begun = *step;
  task.fill({std::move(step), hooked ? push_step_end : lua::push_outcome, LUA_NOREF});
  ready = execution.begin(begun, task.task());
  return true;
}

}  // namespace

int call_effect(lua_State* L, const EffectKind& kind) {
  LuaScript& script = lua::enter(L, kind.call, lua::Place::anywhere);
  if (meets_hooks(script, {hooks::Family::step, hooks::Family::error})) {
    lua_pushlightuserdata(L, const_cast<EffectKind*>(&kind));
    lua_insert(L, 1);
    lua_pushstring(L, kind.call);
    lua_insert(L, 2);
    return call_hooked(L, "effect");
  }
  bool ready = false;
  if (!begin(L, script, kind, 1, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

// host.effect(kind, replies, again, arguments...): the effect itself, told what the hooks have decided.
int l_host_effect(lua_State* L) {
  const auto& kind = *static_cast<const EffectKind*>(lua_touserdata(L, 1));
  LuaScript& script = lua::enter(L, kind.call, lua::Place::anywhere);
  take_replies(L, script, 2, hooks::Point::step_before);
  take_told(L, script, 0, 3);
  bool ready = false;
  if (!begin(L, script, kind, 4, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

std::string path_in_run(engine::RunContext& context, const std::string& path) {
  if (path.empty() || path.front() == '/' || context.facts().cwd.empty()) return path;
  return context.facts().cwd + "/" + path;
}

}  // namespace perilune::api
