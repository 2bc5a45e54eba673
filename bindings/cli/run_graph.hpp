// A run as a graph: what its tasks did, one after the other, and where branches part and join; as DOT, Mermaid or SVG. Read off
// the records that count. Uses journal and store.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/store/store.hpp"

namespace perilune::cli {

struct RunGraph {
  enum class Shape : uint8_t { begin, step, undo, wait, decision, checkpoint, scope, join, child, end };
  enum class State : uint8_t { done, open, failed, skipped };
  struct Node {
    Shape shape = Shape::step;
    State state = State::open;
    std::string label;       // as the journal has it: not safe for anything
    std::string task;
  };
  std::vector<Node> nodes;
  std::vector<std::pair<size_t, size_t>> edges;   // indices of nodes, from and to; to is the greater one
};

RunGraph graph_of(const store::RunRow& row, const std::vector<journal::Record>& living);

std::string graph_dot(const RunGraph& graph);
std::string graph_mermaid(const RunGraph& graph);
std::string graph_svg(const RunGraph& graph);   // a column a task, a row a step of the longest way

}  // namespace perilune::cli
