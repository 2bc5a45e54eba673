// The event loop a worker runs on: timers, hand-over from other threads, and one turn function.
//
//   +-> timers due -> posted functions -> I/O -> the turn function (if a turn was asked for) -+
//   +------------------------------------------------------------------------------------------+
//
// Two implementations: UvLoop (uv_loop.hpp) and SimLoop (sim_loop.hpp: virtual time, deterministic by seed).
// Callbacks never resume a script: they queue an outcome and ask for a turn; the turn drains the queues, once, in
// order. All members are for the loop's own thread, but post() and stop(), which any thread may call.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/base/clock.hpp"

struct uv_loop_s;

namespace perilune::loop {

using TimerId = uint64_t;  // 0 = no timer; ids are never used again

class Loop {
 public:
  using Fn = std::function<void()>;
  virtual ~Loop() = default;

  virtual const Clock& clock() const = 0;

  // Calls `fn` once, not before `delay_us` from now. Due at the same time: in the order they were started.
  virtual TimerId start_timer(int64_t delay_us, Fn fn) = 0;
  // The timer will not fire any more. Unknown and fired ids are ignored.
  virtual void stop_timer(TimerId id) = 0;

  // Runs `fn` on the loop's thread, in the order of the calls. Thread-safe.
  virtual void post(Fn fn) = 0;

  // `fn` is called at the end of each loop pass in which ask_turn() was called, at most once a pass. When it asks for a
  // turn itself, the loop polls I/O without blocking and calls it again. One turn function a loop.
  virtual void set_turn(Fn fn) = 0;
  virtual void ask_turn() = 0;

  // Runs until stop() is called. stop() is thread-safe and may come before run().
  virtual void run() = 0;
  virtual void stop() = 0;

  // Calls `fn` each time the process gets the signal; an empty function stops watching it (its default action is back).
  // A loop without a process around it (simulated time) never calls.
  virtual void on_signal(int signum, Fn fn) { (void)signum, (void)fn; }

  // The libuv loop beneath, for real effects; nullptr when time is simulated.
  virtual uv_loop_s* uv() = 0;
};

}  // namespace perilune::loop
