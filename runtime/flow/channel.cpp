// Putting, taking and withdrawing; see channel.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/channel.hpp"

#include <algorithm>
#include <utility>

namespace perilune::flow {

using task::Outcome;
using task::Task;

// Puts that wait hold the channel, so that none is left here.
Channel::~Channel() {
  for (Entry& entry : entries_) drop_(entry.token);
}

void Channel::add(Token token, Put& put) {
  entries_.push_back({execution_.next_arrival(), token, &put});
  offer();
  accept_puts();
}

// Lets those that wait look, in their order. One that takes makes room and nothing else, so one round is enough.
void Channel::offer() {
  std::vector<Taker*> round = takers_;
  for (Taker* taker : round) {
    if (entries_.empty()) return;
    if (std::count(takers_.begin(), takers_.end(), taker) > 0 && taker->try_take()) leave(*taker);
  }
}

Token Channel::take() {
  Entry entry = entries_.front();
  entries_.pop_front();
  if (entry.put != nullptr) entry.put->accepted();
  accept_puts();
  return entry.token;
}

// One value that is waited for is taken when it comes; of several, the first ones have to be let in.
void Channel::accept_puts() {
  size_t within = capacity_;
  for (Taker* taker : takers_)
    if (taker->wants() > 1) within = std::max(within, taker->wants());
  within = std::min(within, entries_.size());
  for (size_t i = 0; i < within; ++i)
    if (Put* put = std::exchange(entries_[i].put, nullptr)) put->accepted();
}

void Channel::withdraw(Put& put) {
  auto mine = [&put](const Entry& entry) { return entry.put == &put; };
  auto found = std::find_if(entries_.begin(), entries_.end(), mine);
  if (found == entries_.end()) return;
  Token token = found->token;
  entries_.erase(found);
  drop_(token);
}

void Channel::wait(Taker& taker) {
  takers_.push_back(&taker);
  accept_puts();
}

void Channel::leave(Taker& taker) { std::erase(takers_, &taker); }

bool Put::begin(Task& task) {
  if (task.cancelling()) {
    channel_->drop(token_);
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  pending_ = true;
  channel_->add(token_, *this);
  task.outcome = {};
  if (!pending_) return true;
  task_ = &task;
  execution_.scheduler().wait(task, *this);
  return false;
}

void Put::accepted() {
  pending_ = false;
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), {});
}

void Put::cancel(const task::ErrorRef& reason) {
  channel_->withdraw(*this);
  pending_ = false;
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), Outcome::of_error(reason));
}

Put::~Put() {
  if (pending_) channel_->withdraw(*this);
}

bool Take::begin(Task& task) {
  task.outcome = {};
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  if (try_take()) return true;
  task_ = &task;
  for (auto& channel : channels_) channel->wait(*this);
  execution_.scheduler().wait(task, *this);
  return false;
}

bool Take::try_take() {
  for (auto& channel : channels_)
    if (channel->available() < count_) return false;
  leave_channels();
  for (auto& channel : channels_)
    for (size_t i = 0; i < count_; ++i) taken_.push_back(channel->take());
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), {});
  return true;
}

void Take::leave_channels() {
  for (auto& channel : channels_) channel->leave(*this);
}

void Take::cancel(const task::ErrorRef& reason) {
  leave_channels();
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), Outcome::of_error(reason));
}

Take::~Take() {
  leave_channels();
  for (size_t i = used_; i < taken_.size(); ++i) channels_[i / count_]->drop(taken_[i]);
}

std::string Take::describe() const {
  if (channels_.size() > 1) return "one value of each of " + std::to_string(channels_.size()) + " channels";
  return count_ == 1 ? "a value of a channel" : std::to_string(count_) + " values of a channel";
}

}  // namespace perilune::flow
