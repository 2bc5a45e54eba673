// The signals of a run: delivery to receivers, buffers, and operations that end without a record of their own.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/flow/execution.hpp"
#include "runtime/flow/receive.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;

bool Execution::signal(const std::string& name, const std::string& value, const std::string& id,
                       std::function<void()> committed) {
  if (over_ || stopped_ || deciding_) return false;
  if (!id.empty() && !signal_ids_.insert(id).second) {   // it stands in the journal already
    loop().post(std::move(committed));
    return true;
  }
  Record record;
  record.kind = Kind::signal;
  record.name = name;
  record.data = signal_data(value, id);
  append(std::move(record), nullptr, std::move(committed), true);
  return true;
}

std::string signal_data(const std::string& value, const std::string& id) {
  std::string extra = "\"id\":\"" + id + "\"";   // ids are base32 or uuids: nothing to escape
  return journal::with_value({0, 0, id.empty() ? std::string_view() : std::string_view(extra)}, value);
}

std::string signal_id_of(const Record& record) {
  constexpr std::string_view k_start = "{\"id\":\"";
  if (record.data.rfind(k_start, 0) != 0) return {};
  size_t end = record.data.find('"', k_start.size());
  return end == std::string::npos ? std::string() : record.data.substr(k_start.size(), end - k_start.size());
}

void Execution::deliver_signal(const Record& record) {
  std::string value(journal::value_of(record.data));
  for (Receive* receiver : receivers_) {
    if (receiver->name() != record.name || receiver->cancel_cause() != nullptr) continue;
    receiver->got(std::move(value));
    return;
  }
  inbox_[record.name].push_back(std::move(value));
}

bool Execution::take_signal(const std::string& name, std::string& value) {
  auto found = inbox_.find(name);
  if (found == inbox_.end() || found->second.empty()) return false;
  value = std::move(found->second.front());
  found->second.pop_front();
  return true;
}

void Execution::drop_signals(const std::string& name) { inbox_.erase(name); }

void Execution::add_receiver(Receive& receiver) { receivers_.push_back(&receiver); }

void Execution::remove_receiver(Receive& receiver) {
  receivers_.erase(std::remove(receivers_.begin(), receivers_.end(), &receiver), receivers_.end());
}

// The operation ends here; a record of it that is under way, or that stands later in the journal, says nothing any more.
void Execution::settle(Durable& op, task::Outcome outcome) {
  settled_.insert(op.task().id + "#" + std::to_string(op.number()));
  forget(op);
  scheduler_.wake(op.task(), std::move(outcome));
}

// Nothing that is queued points to the operation any more.
void Execution::forget(Durable& op) {
  op.state_ = Durable::State::over;
  auto found = waiting_.find(op.task().id);
  if (found != waiting_.end() && found->second == &op) waiting_.erase(found);
  parked_.erase(std::remove(parked_.begin(), parked_.end(), &op), parked_.end());
  for (Tail& tail : tail_)
    if (tail.op == &op) tail.op = nullptr;
}

bool Execution::is_settled(const Record& record) const {
  return !settled_.empty() && settled_.count(record.task + "#" + std::to_string(record.op)) != 0;
}

}  // namespace perilune::flow
