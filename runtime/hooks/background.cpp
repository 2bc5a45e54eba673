// See background.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/background.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace perilune::hooks {

Background::~Background() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    queue_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Background::run(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(work));
  wake_.notify_one();
  if (thread_.joinable()) return;
  sigset_t all, before;   // a new thread inherits the mask
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work_off(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Background::work_off() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (closing_) return;
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = {};   // what it holds goes without the lock
    lock.lock();
  }
}

}  // namespace perilune::hooks
