// Channels as arguments of API functions. They are made in api_channel.cpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "bindings/lua/state.hpp"
#include "runtime/flow/channel.hpp"

namespace perilune::api {

// Raises when the value is no channel.
std::shared_ptr<flow::Channel>& channel_at(lua_State* L, int index);

// Raises unless the values at first..last are channels, each another one.
void check_channels(lua_State* L, int first, int last, const char* call);
// Work: what check_channels has seen.
std::vector<std::shared_ptr<flow::Channel>> channels_on_stack(lua_State* L, int first, int last) noexcept;

}  // namespace perilune::api
