// spawn and group: tasks that go on beside the one that made them, and end before it does.
// What a handle's await gives follows from the task's end alone: no record of its own. That a task has begun and how it
// ended is noted for observers (branch.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

// t:await(): waits for the end of a spawned task. Its error is raised here, and no longer fails the scope.
class AwaitTask final : public task::Operation {
 public:
  AwaitTask(Execution& execution, std::shared_ptr<task::TaskHandle> handle)
      : execution_(execution), handle_(std::move(handle)) {}
  ~AwaitTask() override { *gone_ = true; }
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  std::string describe() const override { return "task " + (handle_->task ? handle_->task->id : "that has ended"); }
  task::Waits waits_for() const override {
    if (handle_->task == nullptr) return {};
    return {{handle_->task}, 1};
  }

 private:
  task::Outcome outcome() const;
  Execution& execution_;
  std::shared_ptr<task::TaskHandle> handle_;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
  task::Task* task_ = nullptr;
};

// A set of tasks to which more may be added while others run. Owned by the script's handle and by its running tasks; its
// tasks end with the task that made the group.
class Group : public std::enable_shared_from_this<Group> {
 public:
  struct Member {
    std::shared_ptr<task::TaskHandle> handle;   // null while it waits for its turn
    bool cancelled = false;                     // never started
  };
  Group(Execution& execution, task::Task& owner, size_t limit, MergeRule merge);

  // Errors: "usage" when the group is closed or its maker has ended.
  Result<size_t> add(task::Task& maker, std::unique_ptr<task::Coroutine> coroutine);
  void close();
  void cancel(const task::ErrorRef& reason);
  // Somebody waits for the group: its errors are told there, and no longer fail the scope.
  void claim();

  size_t total() const { return members_.size(); }
  const Member& member(size_t index) const { return members_[index]; }
  size_t done() const { return done_; }
  size_t failed() const { return failed_; }
  size_t live() const { return members_.size() - done_ - failed_ - cancelled_; }
  bool closed() const { return closed_; }
  const std::vector<uint32_t>& order() const { return order_; }
  task::ErrorRef first_error() const { return first_error_; }
  std::string info(const char* reason) const;

 private:
  friend class GroupWait;
  struct Queued {
    size_t index;
    uint32_t number;       // the child number that its maker gave it
    std::string id;
    std::unique_ptr<task::Coroutine> coroutine;
  };
  void start(size_t index, task::Task& maker, std::unique_ptr<task::Coroutine> coroutine);
  void start_next();
  void drop_queue();
  void ended(size_t index);
  void changed();

  Execution& execution_;
  task::Task* owner_;
  std::weak_ptr<void> owner_life_;
  size_t limit_;
  MergeRule merge_;          // for what the members have set of the run's state
  bool closed_ = false;
  bool claimed_ = false;
  std::vector<Member> members_;
  std::deque<Queued> queue_;
  size_t running_ = 0, done_ = 0, failed_ = 0, cancelled_ = 0;
  std::vector<uint32_t> order_;
  task::ErrorRef first_error_;
  std::vector<std::function<void()>> watchers_;   // waits that look again after each end
};

// g:wait{...}: until the group is closed and all have ended (the first error is raised), until `count` members
// succeeded, until all that still run have ended well or badly, or until more than `count` have ended.
class GroupWait final : public task::Operation {
 public:
  enum class Until : uint8_t { all, need, stopped, next };
  GroupWait(Execution& execution, std::shared_ptr<Group> group, Until until, size_t count)
      : execution_(execution), group_(std::move(group)), until_(until), count_(count) {}
  ~GroupWait() override { *gone_ = true; }
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  std::string describe() const override;

 private:
  bool decided(task::Outcome& outcome) const;
  bool need_decided(task::Outcome& outcome) const;
  void look();
  Execution& execution_;
  std::shared_ptr<Group> group_;
  Until until_;
  size_t count_;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
  task::Task* task_ = nullptr;
};

}  // namespace perilune::flow
