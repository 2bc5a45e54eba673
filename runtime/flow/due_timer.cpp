// See due_timer.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/due_timer.hpp"

#include <algorithm>
#include <utility>

#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;

namespace {
constexpr Kind k_notes[] = {Kind::timer_set, Kind::ask_opened};

const journal::Record* find_note(const journal::Cursor& cursor, journal::Trail::Op call) {
  for (Kind kind : k_notes)
    if (const journal::Record* set = cursor.find(call, kind)) return set;
  return nullptr;
}
}  // namespace

std::optional<int64_t> DueTimer::recorded_due(const journal::Cursor& cursor, journal::Trail::Op call) {
  const journal::Record* set = find_note(cursor, call);
  int64_t due_us = set == nullptr ? 0 : journal::number_of(set->data, "due");
  return due_us == 0 ? std::nullopt : std::optional(due_us);
}

void DueTimer::start(const Durable& call, int64_t duration_us, std::function<void()> fire, const std::string& members,
                     Kind note) {
  int64_t now_us = execution_.loop().clock().wall_us();
  if (const journal::Record* set = find_note(execution_.cursor(), call.recorded())) {
    due_us_ = journal::number_of(set->data, "due");
    set_us_ = set->at_us;
  } else {
    due_us_ = now_us + duration_us;
    set_us_ = now_us;
    std::string data = "{\"due\":" + std::to_string(due_us_) + (members.empty() ? "}" : "," + members + "}");
    execution_.note(call.remark(note, std::move(data)), true);
  }
  fire_ = std::move(fire);
  execution_.timer_started(due_us_);
  arm(now_us);
}

void DueTimer::arm(int64_t now_us) {
  timer_ = execution_.loop().start_timer(std::max<int64_t>(0, due_us_ - now_us), [this] {
    timer_ = 0;
    int64_t then_us = execution_.loop().clock().wall_us();
    if (then_us < due_us_) return arm(then_us);   // the clock was set back
    auto fire = std::move(fire_);
    stop();
    fire();
  });
}

void DueTimer::stop() {
  if (due_us_ == 0) return;
  execution_.loop().stop_timer(std::exchange(timer_, 0));
  execution_.timer_ended(std::exchange(due_us_, 0));
}

}  // namespace perilune::flow
