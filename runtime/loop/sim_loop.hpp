// Loop in virtual time: nothing waits, everything is repeatable. When nothing is ready, time jumps to the next timer.
// Work that a real loop would get from outside (commits, effects) is simulated with timers.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/loop/loop.hpp"

namespace perilune::loop {

class SimLoop final : public Loop {
 public:
  explicit SimLoop(int64_t wall_us = 1'700'000'000'000'000);
  ~SimLoop() override;

  const Clock& clock() const override;
  TimerId start_timer(int64_t delay_us, Fn fn) override;
  void stop_timer(TimerId id) override;
  void post(Fn fn) override;
  void set_turn(Fn fn) override;
  void ask_turn() override;
  void run() override;  // until stop(), or until nothing is left to do
  void stop() override;
  uv_loop_s* uv() override { return nullptr; }

  // One pass: posted functions, else the turn, else the next timer (time moves). False when nothing was left to do.
  bool step();
  // Runs what is due within the next `us` of virtual time and then stands at exactly that time.
  void advance_us(int64_t us);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace perilune::loop
