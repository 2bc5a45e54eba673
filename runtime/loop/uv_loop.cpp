// The loop on libuv, see uv_loop.hpp.
//
//   uv_run pass:  timer (one for all)  ->  prepare (arm it)  ->  poll: async (posted) and I/O  ->  check (the turn)
//
// One uv_timer stands for the first entry of the timer queue. It is armed once a pass and never in its own callback:
// libuv would call a timer that is started there and already due again in the same phase, for ever. One uv_idle is
// active while a turn is asked for: libuv then polls without blocking, so that the check phase comes at once.
// SPDX-License-Identifier: MIT
#include "runtime/loop/uv_loop.hpp"

#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/loop/timer_queue.hpp"

namespace perilune::loop {

namespace {

// libuv's time stops while the machine is suspended, ours does not: looking now and then bounds the lateness.
constexpr int64_t k_timer_nap_max_us = 30'000'000;
constexpr int64_t k_not_armed = std::numeric_limits<int64_t>::max();

class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  const Clock& clock() const override { return clock_; }
  TimerId start_timer(int64_t delay_us, Fn fn) override;
  void stop_timer(TimerId id) override { timers_.stop(id); }
  void post(Fn fn) override;
  void set_turn(Fn fn) override { turn_ = std::move(fn); }
  void ask_turn() override;
  void run() override;
  void stop() override;
  void on_signal(int signum, Fn fn) override;
  uv_loop_s* uv() override { return &loop_; }

 private:
  void fire_timers();
  void arm_timer();
  void run_posted();
  void end_pass();

  RealClock clock_;
  uv_loop_t loop_;
  uv_timer_t timer_;
  uv_async_t async_;
  uv_prepare_t prepare_;
  uv_check_t check_;
  uv_idle_t idle_;

  TimerQueue timers_;
  int64_t armed_due_us_ = k_not_armed;  // which due time timer_ stands for

  std::mutex posted_mutex_;
  std::vector<Fn> posted_;  // under posted_mutex_
  std::vector<Fn> batch_;   // what runs now; kept for its memory

  Fn turn_;
  struct SignalWatch {
    uv_signal_t handle;
    int signum;
    Fn fn;
  };
  std::vector<std::unique_ptr<SignalWatch>> signals_;  // one a signal, kept until the end
  bool turn_asked_ = false;
  bool closing_ = false;  // the handles are gone: late callbacks of other rooms change nothing any more
  std::atomic<bool> stop_asked_{false};
};

void must(int status) {
  assert(status == 0);
  (void)status;
}

UvLoop::UvLoop() {
  must(uv_loop_init(&loop_));
  must(uv_timer_init(&loop_, &timer_));
  must(uv_async_init(&loop_, &async_, [](uv_async_t* handle) { static_cast<UvLoop*>(handle->data)->run_posted(); }));
  must(uv_prepare_init(&loop_, &prepare_));
  must(uv_check_init(&loop_, &check_));
  must(uv_idle_init(&loop_, &idle_));
  timer_.data = async_.data = prepare_.data = check_.data = this;
  must(uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { static_cast<UvLoop*>(handle->data)->arm_timer(); }));
  must(uv_check_start(&check_, [](uv_check_t* handle) { static_cast<UvLoop*>(handle->data)->end_pass(); }));
}

// In order: own handles are closed; whoever else opened handles must have closed them by now; the loop is spun until
// close callbacks and work on the pool are through; what was posted and never ran is dropped.
UvLoop::~UvLoop() {
  {
    std::lock_guard lock(posted_mutex_);
    closing_ = true;
  }
  for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&timer_), reinterpret_cast<uv_handle_t*>(&async_),
                              reinterpret_cast<uv_handle_t*>(&prepare_), reinterpret_cast<uv_handle_t*>(&check_),
                              reinterpret_cast<uv_handle_t*>(&idle_)}) {
    uv_close(handle, nullptr);
  }
  for (auto& watch : signals_) uv_close(reinterpret_cast<uv_handle_t*>(&watch->handle), nullptr);
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        assert(uv_is_closing(handle));
        (void)handle;
      },
      nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  must(uv_loop_close(&loop_));
  // Moved out first: captures that die may still call stop_timer() or post().
  { auto dropped = std::exchange(posted_, {}); }
  { auto dropped = std::exchange(timers_, {}); }
}

TimerId UvLoop::start_timer(int64_t delay_us, Fn fn) {
  return timers_.start(due_after(clock_.mono_us(), delay_us), std::move(fn));
}

void UvLoop::post(Fn fn) {
  std::lock_guard lock(posted_mutex_);
  if (closing_) return;
  posted_.push_back(std::move(fn));
  if (posted_.size() == 1) uv_async_send(&async_);  // a batch needs one wake
}

void UvLoop::ask_turn() {
  if (turn_asked_ || closing_) return;
  turn_asked_ = true;
  uv_idle_start(&idle_, [](uv_idle_t*) {});
}

void UvLoop::run() {
  if (!stop_asked_) uv_run(&loop_, UV_RUN_DEFAULT);
  stop_asked_ = false;
}

void UvLoop::stop() {
  stop_asked_ = true;
  std::lock_guard lock(posted_mutex_);
  if (!closing_) uv_async_send(&async_);
}

void UvLoop::on_signal(int signum, Fn fn) {
  auto same = [signum](const auto& watch) { return watch->signum == signum; };
  auto found = std::find_if(signals_.begin(), signals_.end(), same);
  if (!fn) {
    if (found != signals_.end()) uv_signal_stop(&(*found)->handle);
    return;
  }
  if (found == signals_.end()) {
    found = signals_.insert(signals_.end(), std::make_unique<SignalWatch>());
    must(uv_signal_init(&loop_, &(*found)->handle));
    (*found)->handle.data = found->get();
    (*found)->signum = signum;
  }
  (*found)->fn = std::move(fn);
  auto on_signal = [](uv_signal_t* handle, int) {
    Fn called = static_cast<SignalWatch*>(handle->data)->fn;  // a copy: it may set another
    called();
  };
  must(uv_signal_start(&(*found)->handle, on_signal, signum));
}

// libuv rounds to milliseconds and may call a little early: what is not due by our clock waits for the next round.
void UvLoop::fire_timers() {
  armed_due_us_ = k_not_armed;
  const int64_t now_us = clock_.mono_us();
  const uint64_t id_limit = timers_.next_id();
  while (Fn fn = timers_.take_due(now_us, id_limit)) fn();
}

// A timer that was stopped leaves the uv_timer as it is: one call for nothing is cheaper than arming twice.
void UvLoop::arm_timer() {
  const auto due_us = timers_.next_due_us();
  if (!due_us || *due_us >= armed_due_us_) return;
  armed_due_us_ = *due_us;
  const int64_t nap_us = std::clamp<int64_t>(*due_us - clock_.mono_us(), 0, k_timer_nap_max_us);
  uv_update_time(&loop_);
  auto on_timer = [](uv_timer_t* handle) { static_cast<UvLoop*>(handle->data)->fire_timers(); };
  must(uv_timer_start(&timer_, on_timer, static_cast<uint64_t>((nap_us + 999) / 1000), 0));
}

void UvLoop::run_posted() {
  {
    std::lock_guard lock(posted_mutex_);
    batch_.swap(posted_);
  }
  for (Fn& fn : batch_) fn();
  batch_.clear();
}

void UvLoop::end_pass() {
  if (turn_asked_) {
    turn_asked_ = false;
    uv_idle_stop(&idle_);
    if (turn_) turn_();
  }
  if (stop_asked_) uv_stop(&loop_);
}

}  // namespace

std::unique_ptr<Loop> make_uv_loop() { return std::make_unique<UvLoop>(); }

}  // namespace perilune::loop
