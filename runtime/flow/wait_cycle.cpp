// A walk along the waits of tasks; see wait_cycle.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/wait_cycle.hpp"

#include <unordered_set>

namespace perilune::flow {

using task::Task;

namespace {

class Walk {
 public:
  explicit Walk(const Task& goal) : goal_(goal) {}

  // True when the waits of `from` lead to the goal; the text is then built from the end.
  bool leads(const Task& from, const std::string& what) {
    if (!seen_.insert(&from).second) return false;
    bool found = &from == &goal_ || look_beyond(from);
    if (found) text = what + " -> task " + from.id + (text.empty() ? "" : " -> ") + text;
    return found;
  }
  std::string text;

 private:
  bool look_beyond(const Task& from) {
    if (from.state == Task::State::waiting && from.awaiting != nullptr) {
      for (const Task* next : from.awaiting->waits_for())
        if (leads(*next, from.awaiting->describe())) return true;
    }
    return from.state == Task::State::closing && from.spawned != nullptr && look_at_spawned(from);
  }

  bool look_at_spawned(const Task& from) {
    for (auto& child : from.spawned->children())
      if (child->state != Task::State::ended && leads(*child, "the end of its tasks")) return true;
    return false;
  }

  const Task& goal_;
  std::unordered_set<const Task*> seen_;
};

}  // namespace

std::string wait_cycle(const Task& waiter, const Task& first, const std::string& what) {
  Walk walk(waiter);
  return walk.leads(first, what) ? "task " + waiter.id + " -> " + walk.text : std::string();
}

}  // namespace perilune::flow
