// Channels: values handed from task to task of one run, first in, first out. What a put or a take waits for follows from
// the order of the run alone, so neither has a record. The room knows values by tokens; what they stand for is the
// binding's.
//
//   put --> [entry entry entry | entry of a waiting put ...] --> take, take(k), zip, join
//                capacity          its put goes on when it moves within the capacity, is taken, or is waited for
//
// Those that wait to take are looked at in the order in which they began to wait, and the first that finds all that it
// wants takes it: one that wants more does not hold up the others.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

class Put;

using Token = int64_t;

// Waits for what comes into channels.
class Taker {
 public:
  virtual ~Taker() = default;
  // Takes all that it wants, if it is there. True: it has, and waits no longer in the channel that asked.
  virtual bool try_take() = 0;
  // How many values of a channel it waits for: so many are let in, whatever the capacity.
  virtual size_t wants() const { return 1; }
};

class Channel {
 public:
  // `drop` is called for a token that nobody will take any more.
  Channel(Execution& execution, size_t capacity, std::function<void(Token)> drop)
      : execution_(execution), capacity_(capacity), drop_(std::move(drop)) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  size_t available() const { return entries_.size(); }   // with those of puts that wait
  // When the oldest entry was put, counted over all channels of the run; only while available() > 0.
  uint64_t oldest() const { return entries_.front().arrival; }
  Token take();
  void drop(Token token) { drop_(token); }
  void wait(Taker& taker);
  void leave(Taker& taker);

 private:
  friend class Put;
  struct Entry {
    uint64_t arrival;
    Token token;
    Put* put;                // null once its put is over
  };
  void add(Token token, Put& put);
  void withdraw(Put& put);
  void offer();
  void accept_puts();

  Execution& execution_;
  size_t capacity_;
  std::function<void(Token)> drop_;
  std::deque<Entry> entries_;
  std::vector<Taker*> takers_;
};

// c:put(v): waits while the channel is full and nobody takes. A cancelled one takes its value back.
class Put final : public task::Operation {
 public:
  Put(Execution& execution, std::shared_ptr<Channel> channel, Token token)
      : execution_(execution), channel_(std::move(channel)), token_(token) {}
  ~Put() override;
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  std::string describe() const override { return "a put into a full channel"; }

 private:
  friend class Channel;
  void accepted();
  Execution& execution_;
  std::shared_ptr<Channel> channel_;
  Token token_;
  bool pending_ = false;     // its entry names it
  task::Task* task_ = nullptr;
};

// `count` values of each channel, all at once: c:take() is one of one, channel.zip(...) one of each.
class Take final : public task::Operation, public Taker {
 public:
  Take(Execution& execution, std::vector<std::shared_ptr<Channel>> channels, size_t count)
      : execution_(execution), channels_(std::move(channels)), count_(count) {}
  ~Take() override;
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  bool try_take() override;
  size_t wants() const override { return count_; }
  std::string describe() const override;

  // What it took, channel by channel; the caller says how many of them it has dealt with.
  const std::vector<Token>& taken() const { return taken_; }
  void used(size_t tokens) { used_ = tokens; }

 private:
  void leave_channels();
  Execution& execution_;
  std::vector<std::shared_ptr<Channel>> channels_;
  size_t count_;
  std::vector<Token> taken_;
  size_t used_ = 0;
  task::Task* task_ = nullptr;
};

}  // namespace perilune::flow
