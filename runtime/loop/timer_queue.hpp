// The timers of a loop, ordered by (due, id): due at the same time means in the order they were started.
// Promises: start and take are O(log n), stop is O(1); a stopped timer's function is destroyed at once, its place in
// the heap when it comes to the top, or when more than half of the heap is such places. Knows nothing of real or
// virtual time: both loops use it.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace perilune::loop {

class TimerQueue {
 public:
  using Fn = std::function<void()>;

  // Ids count from 1 and are never used again.
  uint64_t start(int64_t due_us, Fn fn);
  void stop(uint64_t id);

  // When the first timer is due; nothing when there is no timer.
  std::optional<int64_t> next_due_us();
  // Takes the first timer if it is due at `now_us` and was started before `id_limit`; else an empty function.
  Fn take_due(int64_t now_us, uint64_t id_limit);

  // The id that the next start() will give: the limit which keeps a firing round from firing what it started itself.
  uint64_t next_id() const { return next_id_; }
  size_t size() const { return functions_.size(); }

 private:
  struct Entry {
    int64_t due_us;
    uint64_t id;
  };
  static bool later(const Entry& a, const Entry& b);
  void pop();
  void drop_stopped();

  std::vector<Entry> heap_;                     // a min-heap; entries without a function are stopped timers
  std::unordered_map<uint64_t, Fn> functions_;  // the timers that live
  uint64_t next_id_ = 1;
};

// now + delay, where a negative delay is none and an endless one stays in range.
int64_t due_after(int64_t now_us, int64_t delay_us);

}  // namespace perilune::loop
