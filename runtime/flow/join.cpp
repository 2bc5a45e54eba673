// The cycles of a join; see join.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/join.hpp"

#include <utility>

namespace perilune::flow {

using task::Outcome;
using task::Task;

Join::~Join() {
  for (const Value& value : values_) channels_[value.channel]->drop(value.token);
}

// The channel with the oldest value that may be taken now.
std::optional<size_t> Join::next() const {
  std::optional<size_t> found;
  for (size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i]->available() == 0 || (given_[i] && reset_ == Reset::block)) continue;
    if (!found || channels_[i]->oldest() < channels_[*found]->oldest()) found = i;
  }
  return found;
}

bool Join::advance() {
  while (std::optional<size_t> at = next()) {
    Channel& channel = *channels_[*at];
    Token token = channel.take();
    if (given_[*at]) {                 // a second one in this cycle
      channel.drop(token);
      continue;
    }
    given_[*at] = true;
    ++count_;
    if (count_ <= need_) values_.push_back({*at, token});
    else channel.drop(token);
    bool fires = count_ == need_;
    if (count_ == channels_.size()) {  // armed again
      given_.assign(channels_.size(), false);
      count_ = 0;
    }
    if (fires) return true;
  }
  return false;
}

bool JoinWait::begin(Task& task) {
  task.outcome = {};
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  if (join_->advance()) return true;
  task_ = &task;
  for (auto& channel : join_->channels()) channel->wait(*this);
  execution_.scheduler().wait(task, *this);
  return false;
}

bool JoinWait::try_take() {
  if (!join_->advance()) return false;
  leave_channels();
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), {});
  return true;
}

void JoinWait::leave_channels() {
  for (auto& channel : join_->channels()) channel->leave(*this);
}

void JoinWait::cancel(const task::ErrorRef& reason) {
  leave_channels();
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), Outcome::of_error(reason));
}

std::string JoinWait::describe() const {
  return "join: values of " + std::to_string(join_->need()) + " of " + std::to_string(join_->channels().size()) + " channels";
}

}  // namespace perilune::flow
