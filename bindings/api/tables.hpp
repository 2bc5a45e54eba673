// The openers of the API's globals, one per file; api.cpp lists them. Each pushes one value.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/state.hpp"

namespace perilune::api {

int open_step(lua_State* L);         // api_step.cpp
int open_parallel(lua_State* L);     // api_parallel.cpp
int open_race(lua_State* L);
int open_map(lua_State* L);
int open_spawn(lua_State* L);        // api_spawn.cpp
int open_group(lua_State* L);        // api_group.cpp
int open_channel(lua_State* L);      // api_channel.cpp
int open_join(lua_State* L);         // api_join.cpp
int open_lock(lua_State* L);         // api_lock.cpp
int open_guard(lua_State* L);        // api_guard.cpp
int open_finish(lua_State* L);       // api_finish.cpp
int open_sequential(lua_State* L);   // api_steps.cpp
int open_concurrent(lua_State* L);
int open_sleep(lua_State* L);        // api_time.cpp
int open_now(lua_State* L);
int open_uuid(lua_State* L);
int open_checkpoint(lua_State* L);
int open_compensate(lua_State* L);   // api_saga.cpp
int open_saga(lua_State* L);
int open_rollback(lua_State* L);
int open_shield(lua_State* L);
int open_decide(lua_State* L);       // api_decide.cpp
int open_branch(lua_State* L);
int open_loop(lua_State* L);         // api_loop.cpp
int open_receive(lua_State* L);      // api_signal.cpp
int open_send(lua_State* L);
int open_ask(lua_State* L);          // api_ask.cpp
int open_answer(lua_State* L);       // api_answer.cpp
int open_call(lua_State* L);         // api_child.cpp
int open_start(lua_State* L);
int open_workflow(lua_State* L);     // api_workflow.cpp
int open_this(lua_State* L);
int open_input(lua_State* L);
int open_state(lua_State* L);        // api_state.cpp
int open_fail(lua_State* L);
int open_log(lua_State* L);          // api_log.cpp
int open_json(lua_State* L);         // api_json.cpp
int open_shell(lua_State* L);        // api_shell.cpp
int open_http(lua_State* L);         // api_http.cpp
int open_file(lua_State* L);         // api_file.cpp
int open_crypto(lua_State* L);       // api_crypto.cpp
int open_text(lua_State* L);         // api_text.cpp
int open_on(lua_State* L);           // api_hooks.cpp
int open_skip(lua_State* L);         // api_hook_replies.cpp
int open_replace(lua_State* L);
int open_deny(lua_State* L);
int open_delay(lua_State* L);
int open_redirect(lua_State* L);
int open_retry(lua_State* L);
int open_resolve(lua_State* L);
int open_suppress(lua_State* L);
int open_escalate(lua_State* L);

}  // namespace perilune::api
