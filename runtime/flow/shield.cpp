// See shield.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/shield.hpp"

#include <utility>

#include "runtime/flow/timer.hpp"

namespace perilune::flow {

using task::Task;

// The task that sleeps, and then opens the shield.
class Shield::Timer final : public task::Coroutine {
 public:
  Timer(Execution& execution, std::weak_ptr<Shield> shield, int64_t us)
      : execution_(execution), shield_(std::move(shield)), us_(us) {}

  State resume(Task& task) override {
    if (sleep_ == nullptr) {
      sleep_ = std::make_unique<Sleep>(execution_, us_);
      if (!execution_.begin(*sleep_, task)) return State::suspended;
    }
    auto shield = shield_.lock();
    if (shield != nullptr && task.outcome.kind != task::Outcome::Kind::error) shield->open();
    return State::finished;
  }
  Error take_error() override { return {}; }
  Result<std::string> encode_result() override { return std::string("null"); }

 private:
  Execution& execution_;
  std::weak_ptr<Shield> shield_;
  int64_t us_;
  std::unique_ptr<Sleep> sleep_;
};

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
  auto timer = std::make_unique<Timer>(execution_, weak_from_this(), timeout_us_);
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
