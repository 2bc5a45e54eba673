// See shield.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/shield.hpp"

#include <utility>

#include "runtime/flow/timer_task.hpp"

namespace perilune::flow {

using task::Task;

// A coroutine of the script's own that was left in the middle never comes to the end.
Shield::~Shield() {
  if (task_ != nullptr && !task_life_.expired()) std::erase(task_->shields, this);
}

void Shield::begin(Task& task) {
  task_ = &task;
  task_life_ = task.life();
  ++task.shield;
  timer_number_ = ++task.child_count;
  task.shields.push_back(this);
  if (task.cancel_reason != nullptr) cancel_waits();
}

void Shield::cancel_waits() {
  if (timer_ != nullptr) return;
  auto timer = std::make_unique<TimerTask>(execution_, "sleep", timeout_us_, [weak = weak_from_this()] {
    if (auto shield = weak.lock()) shield->open();
  });
  Task maker;   // the task may be in the middle of making branches: the number was taken before
  maker.id = task_->id;
  maker.child_count = timer_number_ - 1;
  timer_ = execution_.scheduler().spawn_into(*task_, maker, std::move(timer));
  timer_->claimed = true;
}

void Shield::open() {
  if (task_ == nullptr) return;
  Task& task = *std::exchange(task_, nullptr);
  std::erase(task.shields, this);
  execution_.scheduler().lower_shield(task);
}

void Shield::end() {
  if (task_ != nullptr) {
    std::erase(task_->shields, this);
    --task_->shield;                 // it runs: its next await raises
    task_ = nullptr;
  }
  if (timer_ != nullptr && timer_->task != nullptr)
    execution_.scheduler().cancel(*timer_->task, std::make_shared<const Error>(code::k_cancelled, "the shield has ended"));
}

}  // namespace perilune::flow
