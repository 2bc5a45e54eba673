// A thread that does one piece of work after the other, made when there is the first. Promises: work that was begun is
// finished before the destructor returns, what waits then is dropped. Signals go to other threads.
// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace perilune::hooks {

class Background {
 public:
  Background() = default;
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void run(std::function<void()> work);   // thread-safe

 private:
  void work_off();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace perilune::hooks
