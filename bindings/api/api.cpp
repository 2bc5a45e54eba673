// The table of the API's globals; see api.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/api.hpp"

#include <iterator>

#include "bindings/api/tables.hpp"
#include "bindings/lua/sandbox.hpp"

namespace perilune::api {

namespace {
constexpr lua::LazyGlobal k_globals[] = {
    {"step", open_step},         {"parallel", open_parallel},     {"race", open_race},
    {"map", open_map},           {"spawn", open_spawn},           {"group", open_group},
    {"sleep", open_sleep},       {"now", open_now},               {"uuid", open_uuid},
    {"checkpoint", open_checkpoint},
    {"compensate", open_compensate}, {"saga", open_saga},         {"rollback", open_rollback},
    {"shield", open_shield},     {"receive", open_receive},       {"send", open_send},
    {"decide", open_decide},     {"branch", open_branch},         {"loop", open_loop},
    {"channel", open_channel},   {"join", open_join},             {"lock", open_lock},
    {"guard", open_guard},       {"finish", open_finish},         {"sequential", open_sequential},
    {"concurrent", open_concurrent},
    {"ask", open_ask},           {"answer", open_answer},
    {"call", open_call},         {"start", open_start},
    {"fail", open_fail},             {"log", open_log},
    {"json", open_json},         {"shell", open_shell},           {"http", open_http},
    {"file", open_file},         {"crypto", open_crypto},         {"text", open_text},
    {"on", open_on},             {"skip", open_skip},             {"replace", open_replace},
    {"deny", open_deny},         {"delay", open_delay},           {"redirect", open_redirect},
    {"retry", open_retry},       {"resolve", open_resolve},       {"suppress", open_suppress},
    {"escalate", open_escalate},
    // ---- of workflows alone, last
    {"workflow", open_workflow}, {"this", open_this},             {"input", open_input},
    {"state", open_state},
};
constexpr size_t k_of_workflows = 4;
}  // namespace

void open(lua_State* L) { lua::add_lazy_globals(L, k_globals, std::size(k_globals)); }

void open_for_hooks(lua_State* L) { lua::add_lazy_globals(L, k_globals, std::size(k_globals) - k_of_workflows); }

}  // namespace perilune::api
