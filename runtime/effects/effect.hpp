// What touches the world: processes, HTTP, files. Each is an interface with a real part on libuv; tests give scripted
// parts. One instance of each a worker, on the worker's loop; all callbacks come on that loop, never inside the call
// that started the effect.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "runtime/base/result.hpp"

namespace perilune::effects {

// One effect in flight. Its `done` callback is called exactly once, also after cancel() (then with code "cancelled", or
// with the result that got there first), and only when nothing of the effect is left (process reaped, pipes at their
// end, handle closed). Destroying an Effect before `done` detaches it: it is cancelled, `done` is never called.
class Effect {
 public:
  virtual ~Effect() = default;
  virtual void cancel() = 0;
};

template <class T>
using Done = std::function<void(Result<T>)>;

}  // namespace perilune::effects
