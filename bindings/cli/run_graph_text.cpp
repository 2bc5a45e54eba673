// A graph as DOT, Mermaid and SVG; see run_graph.hpp. Labels come from scripts: each format escapes all that means something in it.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "bindings/cli/run_graph.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

using Shape = RunGraph::Shape;
using State = RunGraph::State;

namespace {

constexpr int k_label_columns = 28;

std::string label_of(const RunGraph::Node& node) { return clipped(printable(node.label), k_label_columns); }

const char* colour_of(State state) {
  switch (state) {
    case State::done: return "#d8f0d8";
    case State::open: return "#fdf3c9";
    case State::failed: return "#f6d0d0";
    case State::skipped: break;
  }
  return "#e8e8e8";
}

const char* dot_shape(Shape shape) {
  switch (shape) {
    case Shape::begin:
    case Shape::end: return "oval";
    case Shape::step: return "box";
    case Shape::undo: return "cds";
    case Shape::wait: return "parallelogram";
    case Shape::decision: return "diamond";
    case Shape::checkpoint: return "hexagon";
    case Shape::scope: return "trapezium";
    case Shape::join: return "invtrapezium";
    case Shape::child: break;
  }
  return "box3d";
}

std::pair<const char*, const char*> mermaid_brackets(Shape shape) {
  switch (shape) {
    case Shape::begin:
    case Shape::end: return {"([", "])"};
    case Shape::step: return {"[", "]"};
    case Shape::undo: return {">", "]"};
    case Shape::wait: return {"[/", "/]"};
    case Shape::decision: return {"{", "}"};
    case Shape::checkpoint: return {"{{", "}}"};
    case Shape::scope: return {"[/", "\\]"};
    case Shape::join: return {"[\\", "/]"};
    case Shape::child: break;
  }
  return {"[[", "]]"};
}

// &, < and > for XML; for Mermaid, which takes them too, quotes and # as well.
std::string entities(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '#': out += "&#35;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string dot_quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string name_of(size_t node) { return "n" + std::to_string(node); }

struct Place {
  int column = 0, row = 0;
};

// By the numbers of the tasks: "0.2" stands before "0.10".
bool task_before(const std::string& a, const std::string& b) {
  for (size_t i = 0, j = 0;;) {
    if (i >= a.size() || j >= b.size()) return i >= a.size() && j < b.size();
    unsigned long long x = std::strtoull(a.c_str() + i, nullptr, 10), y = std::strtoull(b.c_str() + j, nullptr, 10);
    if (x != y) return x < y;
    i = std::min(a.find('.', i), a.size() - 1) + 1;
    j = std::min(b.find('.', j), b.size() - 1) + 1;
  }
}

std::vector<Place> placed(const RunGraph& graph) {
  std::map<std::string, int, bool (*)(const std::string&, const std::string&)> columns(task_before);
  for (const RunGraph::Node& node : graph.nodes) columns[node.task];
  int next = 0;
  for (auto& [task, column] : columns) column = next++;
  std::vector<Place> places(graph.nodes.size());
  for (size_t i = 0; i < places.size(); ++i) places[i].column = columns[graph.nodes[i].task];
  std::vector<std::pair<size_t, size_t>> edges = graph.edges;   // those that lead to a node before those that leave it
  std::sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  for (const auto& [from, to] : edges) places[to].row = std::max(places[to].row, places[from].row + 1);
  return places;
}

constexpr int k_column = 240, k_row = 60, k_box_width = 210, k_box_height = 36, k_margin = 20;

std::string svg_node(const RunGraph::Node& node, const Place& place) {
  int x = k_margin + place.column * k_column, y = k_margin + place.row * k_row;
  bool round = node.shape == Shape::begin || node.shape == Shape::end;
  std::string dashed = node.state == State::open ? " stroke-dasharray=\"4 3\"" : "";
  return "<rect x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" + std::to_string(k_box_width) + "\" height=\"" +
         std::to_string(k_box_height) + "\" rx=\"" + (round ? "18" : node.shape == Shape::step ? "2" : "8") + "\" fill=\"" +
         colour_of(node.state) + "\" stroke=\"#555\"" + dashed + "/>\n<text x=\"" + std::to_string(x + k_box_width / 2) + "\" y=\"" +
         std::to_string(y + 23) + "\" text-anchor=\"middle\">" + entities(label_of(node)) + "</text>\n";
}

}  // namespace

std::string graph_dot(const RunGraph& graph) {
  std::string text = "digraph run {\n  node [style=filled, fontname=\"sans-serif\", fontsize=11];\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const RunGraph::Node& node = graph.nodes[i];
    text += "  " + name_of(i) + " [label=" + dot_quoted(label_of(node)) + ", shape=" + dot_shape(node.shape) + ", fillcolor=\"" +
            colour_of(node.state) + "\"" + (node.state == State::open ? ", style=\"filled,dashed\"" : "") + "];\n";
  }
  for (const auto& [from, to] : graph.edges) text += "  " + name_of(from) + " -> " + name_of(to) + ";\n";
  return text + "}\n";
}

std::string graph_mermaid(const RunGraph& graph) {
  std::string text = "flowchart TD\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    auto [open, close] = mermaid_brackets(graph.nodes[i].shape);
    text += "  " + name_of(i) + open + "\"" + entities(label_of(graph.nodes[i])) + "\"" + close + "\n";
  }
  for (const auto& [from, to] : graph.edges) text += "  " + name_of(from) + " --> " + name_of(to) + "\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    text += "  style " + name_of(i) + " fill:" + colour_of(graph.nodes[i].state) + "\n";
  return text;
}

std::string graph_svg(const RunGraph& graph) {
  std::vector<Place> places = placed(graph);
  int columns = 1, rows = 1;
  for (const Place& place : places) columns = std::max(columns, place.column + 1), rows = std::max(rows, place.row + 1);
  std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(2 * k_margin + columns * k_column) + "\" height=\"" +
                     std::to_string(2 * k_margin + rows * k_row) + "\" font-family=\"sans-serif\" font-size=\"12\">\n";
  for (const auto& [from, to] : graph.edges) {
    auto x = [&](size_t node) { return std::to_string(k_margin + places[node].column * k_column + k_box_width / 2); };
    text += "<line x1=\"" + x(from) + "\" y1=\"" + std::to_string(k_margin + places[from].row * k_row + k_box_height) + "\" x2=\"" + x(to) +
            "\" y2=\"" + std::to_string(k_margin + places[to].row * k_row) + "\" stroke=\"#888\"/>\n";
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) text += svg_node(graph.nodes[i], places[i]);
  return text + "</svg>\n";
}

}  // namespace perilune::cli
