// join: fires when `need` of its channels have given a value, and is armed again when all have. Each channel counts once
// a cycle. Like channels it follows from the order of the run alone and has no record.
//
//   armed --values of `need` channels--> fires --values of the others, not looked at--> all have given one --> armed
//
// What a channel gives twice in a cycle is dropped (Reset::all), or waits in the channel for the next (Reset::block).
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/flow/channel.hpp"

namespace perilune::flow {

class Join {
 public:
  enum class Reset : uint8_t { all, block };
  struct Value {
    size_t channel;          // index
    Token token;
  };
  Join(std::vector<std::shared_ptr<Channel>> channels, size_t need, Reset reset)
      : channels_(std::move(channels)), need_(need), reset_(reset), given_(channels_.size(), false) {}
  ~Join();

  // Takes what has come, in the order in which it was put, up to the next firing. True: it fires.
  bool advance();
  // After a firing: what it fired with. The caller clears it when it has dealt with it.
  std::vector<Value>& values() { return values_; }
  const std::vector<std::shared_ptr<Channel>>& channels() const { return channels_; }
  size_t need() const { return need_; }

 private:
  std::optional<size_t> next() const;
  std::vector<std::shared_ptr<Channel>> channels_;
  size_t need_;
  Reset reset_;
  std::vector<bool> given_;  // in this cycle
  size_t count_ = 0;         // channels that have given
  std::vector<Value> values_;
};

// Waits for the next firing.
class JoinWait final : public task::Operation, public Taker {
 public:
  JoinWait(Execution& execution, std::shared_ptr<Join> join) : execution_(execution), join_(std::move(join)) {}
  ~JoinWait() override { leave_channels(); }
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  bool try_take() override;
  std::string describe() const override;

 private:
  void leave_channels();
  Execution& execution_;
  std::shared_ptr<Join> join_;
  task::Task* task_ = nullptr;
};

}  // namespace perilune::flow
