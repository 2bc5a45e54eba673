// Loop over libuv: real time, real I/O. Owns its uv_loop_t.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/loop/loop.hpp"

namespace perilune::loop {

// A loop of its own. The destructor closes every handle that Perilune opened and asserts that none is left.
std::unique_ptr<Loop> make_uv_loop();

}  // namespace perilune::loop
