// Which of the tasks that wait for one another are stuck; see wait_cycle.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/wait_cycle.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace perilune::flow {

using task::Task;
using task::Waits;

namespace {

// All that can be reached from one task is taken for stuck, then what can go on is taken out until nothing changes.
class Graph {
 public:
  Graph(const Task& waiter, const Task& first, std::string what, Reach reach)
      : waiter_(waiter), what_(std::move(what)), reach_(reach) {
    add(waiter, {{&first}, 1});
    for (size_t i = 0; i < order_.size(); ++i)
      for (const Task* next : nodes_[order_[i]].waits.tasks)
        if (nodes_.count(next) == 0) add(*next, waits_of(*next));
    while (free_some()) {
    }
  }
  bool stuck() { return nodes_[&waiter_].stuck; }

  // From the waiter along tasks that are stuck, to the first that comes again.
  std::string text() {
    std::string text = "task " + waiter_.id;
    std::vector<const Task*> seen;
    for (const Task* at = &waiter_; std::count(seen.begin(), seen.end(), at) == 0;) {
      seen.push_back(at);
      const Node& node = nodes_[at];
      auto stuck = [this](const Task* next) { return nodes_[next].stuck; };
      const Task* next = *std::find_if(node.waits.tasks.begin(), node.waits.tasks.end(), stuck);
      text += " -> " + (at == &waiter_ ? what_ : describe(*at)) + " -> task " + next->id;
      at = next;
    }
    return text;
  }

 private:
  struct Node {
    Waits waits;
    bool stuck = true;
  };

  void add(const Task& task, Waits waits) {
    nodes_[&task].waits = std::move(waits);
    order_.push_back(&task);
  }

  Waits waits_of(const Task& task) const {
    if (task.state == Task::State::waiting && task.awaiting != nullptr) {
      Waits waits = task.awaiting->waits_for();
      return waits.tasks.empty() && reach_ == Reach::all_runs ? task.awaiting->waits_across() : waits;
    }
    Waits waits;
    if (task.state != Task::State::closing || task.spawned == nullptr) return waits;
    for (auto& child : task.spawned->children())
      if (child->state != Task::State::ended) waits.tasks.push_back(child.get());
    waits.needed = waits.tasks.size();
    return waits;
  }

  static std::string describe(const Task& task) {
    return task.state == Task::State::closing ? "the end of its tasks" : task.awaiting->describe();
  }

  bool free_some() {
    bool freed = false;
    for (const Task* task : order_) {
      Node& node = nodes_[task];
      if (!node.stuck) continue;
      size_t free = 0;
      for (const Task* next : node.waits.tasks) free += !nodes_[next].stuck;
      if (!node.waits.tasks.empty() && free < node.waits.needed) continue;
      node.stuck = false;
      freed = true;
    }
    return freed;
  }

  const Task& waiter_;
  std::string what_;
  Reach reach_;
  std::unordered_map<const Task*, Node> nodes_;
  std::vector<const Task*> order_;
};

}  // namespace

std::string wait_cycle(const Task& waiter, const Task& first, const std::string& what, Reach reach) {
  Graph graph(waiter, first, what, reach);
  return graph.stuck() ? graph.text() : std::string();
}

}  // namespace perilune::flow
