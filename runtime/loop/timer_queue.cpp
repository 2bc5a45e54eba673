// The heap of timers, see timer_queue.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/loop/timer_queue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace perilune::loop {

namespace {
constexpr size_t k_compact_min = 64;  // below this, stopped entries are not worth a sweep
}  // namespace

bool TimerQueue::later(const Entry& a, const Entry& b) {
  return a.due_us != b.due_us ? a.due_us > b.due_us : a.id > b.id;
}

uint64_t TimerQueue::start(int64_t due_us, Fn fn) {
  const uint64_t id = next_id_++;
  functions_.emplace(id, std::move(fn));
  heap_.push_back({due_us, id});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return id;
}

void TimerQueue::stop(uint64_t id) {
  auto found = functions_.find(id);
  if (found == functions_.end()) return;
  // The function's captures may stop or start timers as they die: the map must be whole by then.
  Fn doomed = std::move(found->second);
  functions_.erase(found);
  if (heap_.size() > k_compact_min && heap_.size() > 2 * functions_.size()) {
    std::erase_if(heap_, [this](const Entry& entry) { return !functions_.contains(entry.id); });
    std::make_heap(heap_.begin(), heap_.end(), later);
  }
}

std::optional<int64_t> TimerQueue::next_due_us() {
  drop_stopped();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due_us;
}

TimerQueue::Fn TimerQueue::take_due(int64_t now_us, uint64_t id_limit) {
  drop_stopped();
  if (heap_.empty() || heap_.front().due_us > now_us || heap_.front().id >= id_limit) return {};
  auto found = functions_.find(heap_.front().id);
  Fn fn = std::move(found->second);
  functions_.erase(found);
  pop();
  return fn;
}

void TimerQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  heap_.pop_back();
}

void TimerQueue::drop_stopped() {
  while (!heap_.empty() && !functions_.contains(heap_.front().id)) pop();
}

int64_t due_after(int64_t now_us, int64_t delay_us) {
  if (delay_us <= 0) return now_us;
  constexpr int64_t k_end_us = std::numeric_limits<int64_t>::max();
  return delay_us > k_end_us - now_us ? k_end_us : now_us + delay_us;
}

}  // namespace perilune::loop
