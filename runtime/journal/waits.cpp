// See waits.hpp.
//
// A wait is told by wait_started, or by timer_set where it has an end, with a member "for"; it is over with the outcome of
// its operation, and at the latest when its task goes on to another one. A receive has no outcome of its own when its signal comes: the signal is that of the receive that has
// waited longest for its name, as flow/inbox.cpp delivers it.
// SPDX-License-Identifier: MIT
#include "runtime/journal/waits.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "runtime/journal/payload.hpp"

namespace perilune::journal {

using nlohmann::json;

namespace {

constexpr std::string_view k_names[] = {"timer", "signal", "answer", "run", "lock", "retry"};

// What a record's "for" says; a moment and nothing else without one.
Wait::For what_of(const json& data) {
  const std::string text = data.value("for", "timer");
  for (size_t i = 0; i < std::size(k_names); ++i)
    if (k_names[i] == text) return static_cast<Wait::For>(i);
  return Wait::For::timer;
}

std::string text_of(const json& data, const char* name) {
  auto found = data.find(name);
  return found == data.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

}  // namespace

std::string_view wait_name(Wait::For what) { return k_names[static_cast<size_t>(what)]; }

std::string signal_wait_members(uint64_t after) { return "\"for\":\"signal\",\"after\":" + std::to_string(after); }

std::string lock_wait_members(bool of_all_runs) {
  return std::string("\"for\":\"lock\"") + (of_all_runs ? ",\"across\":\"runs\"" : "");
}

std::string run_wait_members(const std::string& run) { return "\"for\":\"run\",\"run\":" + json(run).dump(); }

Wait& Waits::begin(const Record& record, Wait::For what, int64_t due_us) {
  end_of(record.task, record.op);
  Wait wait;
  wait.what = what;
  wait.name = record.name;
  wait.task = record.task;
  wait.op = record.op;
  wait.seq = record.seq;
  wait.since_us = record.at_us;
  wait.due_us = due_us;
  return open_[{record.task, record.op}] = std::move(wait);
}

void Waits::noted(const Record& record) {
  json data = json::parse(record.data, nullptr, false);
  if (!data.is_object()) data = json::object();
  Wait::For what = record.kind == Kind::ask_opened ? Wait::For::answer : what_of(data);
  Wait& wait = begin(record, what, number_of(record.data, "due"));
  wait.run = text_of(data, "run");
  wait.to = text_of(data, "to");
  wait.of_all_runs = text_of(data, "across") == "runs";
  if (data.contains("choices") && what == Wait::For::answer) wait.choices = data["choices"].dump(-1, ' ', false, json::error_handler_t::replace);
  if (what == Wait::For::signal) signal_wait_began({record.task, record.op}, data.value("after", record.seq));
}

// Signals stand in the journal before they are delivered: one that came meanwhile is this wait's end.
void Waits::signal_wait_began(const std::pair<std::string, uint32_t>& key, uint64_t after) {
  auto found = unclaimed_.find(open_[key].name);
  if (found == unclaimed_.end()) return;
  std::vector<uint64_t>& seqs = found->second;
  auto first = std::upper_bound(seqs.begin(), seqs.end(), after);
  bool ended = first != seqs.end();
  seqs.erase(seqs.begin(), ended ? first + 1 : first);
  if (ended) open_.erase(key);
}

void Waits::signal_came(const Record& record) {
  auto oldest = open_.end();
  for (auto at = open_.begin(); at != open_.end(); ++at)
    if (at->second.what == Wait::For::signal && at->second.name == record.name &&
        (oldest == open_.end() || at->second.seq < oldest->second.seq))
      oldest = at;
  if (oldest == open_.end()) unclaimed_[record.name].push_back(record.seq);
  else open_.erase(oldest);
}

void Waits::apply(const Record& record) {
  switch (record.kind) {
    case Kind::wait_started:
    case Kind::timer_set:
    case Kind::ask_opened:
      return noted(record);
    case Kind::attempt_failed: {
      int64_t due_us = number_of(record.data, "retry_at");
      if (due_us == 0) return end_of(record.task, record.op);   // it has paused the run
      Wait& wait = begin(record, Wait::For::retry, due_us);
      wait.error = error_of(record.data);
      wait.attempt = static_cast<int>(number_of(record.data, "attempt"));
      return;
    }
    case Kind::signal:
      return signal_came(record);
    case Kind::run_done:
      return open_.clear();
    case Kind::branch_done:
      return end_of(record.task, std::numeric_limits<uint32_t>::max());
    case Kind::step_started:   // the next attempt
    case Kind::intent:
    case Kind::heartbeat:
    case Kind::lock_taken:
      return end_of(record.task, record.op);
    default:
      if (record.op != 0) end_of(record.task, carries_outcome(record.kind) ? record.op : record.op - 1);
  }
}

// A task waits for one thing at a time.
void Waits::end_of(const std::string& task, uint32_t newest) {
  if (open_.empty()) return;
  open_.erase(open_.lower_bound({task, 0}), open_.upper_bound({task, newest}));
}

std::vector<const Wait*> Waits::open() const {
  std::vector<const Wait*> all;
  all.reserve(open_.size());
  for (const auto& [key, wait] : open_) all.push_back(&wait);
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->seq < b->seq; });
  return all;
}

}  // namespace perilune::journal
