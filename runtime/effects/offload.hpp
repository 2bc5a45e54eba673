// Blocking work off the loop: `work` runs on libuv's thread pool, `done` on the loop. On a loop without libuv
// (simulated) the work runs at once and `done` is posted.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/effects/effect.hpp"
#include "runtime/loop/loop.hpp"

namespace perilune::effects {

class Offload {
 public:
  virtual ~Offload() = default;
  // The result is text (JSON, for effects of scripts). cancel() before the work began ends it as "cancelled"; work that
  // has begun runs to its end and its result is delivered.
  virtual std::unique_ptr<Effect> run(std::function<Result<std::string>()> work, Done<std::string> done) = 0;
};

std::unique_ptr<Offload> make_offload(loop::Loop& loop);

}  // namespace perilune::effects
