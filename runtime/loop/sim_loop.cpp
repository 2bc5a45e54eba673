// The loop in virtual time, see sim_loop.hpp. One step is the smallest pass: what was posted, else the turn, else the
// next timer; so a test sees one order whatever the machine does.
// SPDX-License-Identifier: MIT
#include "runtime/loop/sim_loop.hpp"

#include <atomic>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/loop/timer_queue.hpp"

namespace perilune::loop {

struct SimLoop::State {
  explicit State(int64_t wall_us) : clock(wall_us) {}

  VirtualClock clock;
  TimerQueue timers;
  std::mutex posted_mutex;
  std::vector<Fn> posted;  // under posted_mutex
  std::vector<Fn> batch;   // what the pass runs now; kept for its memory
  Fn turn;
  bool turn_asked = false;
  std::atomic<bool> stop_asked{false};

  bool run_posted();
  bool run_turn();
  bool run_timer(int64_t until_us);
};

SimLoop::SimLoop(int64_t wall_us) : state_(std::make_unique<State>(wall_us)) {}

// Moved out first: captures that die may still call stop_timer() or post().
SimLoop::~SimLoop() {
  { auto dropped = std::exchange(state_->posted, {}); }
  { auto dropped = std::exchange(state_->timers, {}); }
}

const Clock& SimLoop::clock() const { return state_->clock; }

TimerId SimLoop::start_timer(int64_t delay_us, Fn fn) {
  return state_->timers.start(due_after(state_->clock.mono_us(), delay_us), std::move(fn));
}

void SimLoop::stop_timer(TimerId id) { state_->timers.stop(id); }

void SimLoop::post(Fn fn) {
  std::lock_guard lock(state_->posted_mutex);
  state_->posted.push_back(std::move(fn));
}

void SimLoop::set_turn(Fn fn) { state_->turn = std::move(fn); }
void SimLoop::ask_turn() { state_->turn_asked = true; }

void SimLoop::run() {
  while (!state_->stop_asked && step()) {
  }
  state_->stop_asked = false;
}

void SimLoop::stop() { state_->stop_asked = true; }

bool SimLoop::step() {
  return state_->run_posted() || state_->run_turn() || state_->run_timer(std::numeric_limits<int64_t>::max());
}

void SimLoop::advance_us(int64_t us) {
  const int64_t until_us = due_after(state_->clock.mono_us(), us);
  while (state_->run_posted() || state_->run_turn() || state_->run_timer(until_us)) {
  }
  state_->clock.advance_us(until_us - state_->clock.mono_us());
}

bool SimLoop::State::run_posted() {
  {
    std::lock_guard lock(posted_mutex);
    batch.swap(posted);
  }
  if (batch.empty()) return false;
  for (Fn& fn : batch) fn();
  batch.clear();
  return true;
}

bool SimLoop::State::run_turn() {
  if (!turn_asked) return false;
  turn_asked = false;
  if (turn) turn();
  return true;
}

bool SimLoop::State::run_timer(int64_t until_us) {
  const auto due_us = timers.next_due_us();
  if (!due_us || *due_us > until_us) return false;
  // A timer that is overdue (time was moved past it by hand) does not move time back.
  if (*due_us > clock.mono_us()) clock.advance_us(*due_us - clock.mono_us());
  timers.take_due(*due_us, timers.next_id())();
  return true;
}

}  // namespace perilune::loop
