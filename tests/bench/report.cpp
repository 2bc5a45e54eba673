// See report.hpp.
// SPDX-License-Identifier: MIT
#include "tests/bench/report.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

namespace perilune::bench {
namespace {

constexpr double k_slow_sync_us = 1000;

double ratio_of(const Figure& figure) { return figure.limit > 0 ? figure.value / figure.limit : 0; }

bool keeps(const Figure& figure, double bound) {
  double measured = figure.goal->of == Goal::Of::value ? figure.value : ratio_of(figure);
  return figure.goal->side == Goal::Side::at_most ? measured <= bound : measured >= bound;
}

double aim_of(const Goal& goal) { return goal.aim > 0 ? goal.aim : goal.bound; }

// Three significant digits, thousands grouped.
std::string number(double value) {
  char text[64];
  if (value >= 100) {
    snprintf(text, sizeof text, "%.0f", value);
    std::string digits = text;
    for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
    return digits;
  }
  snprintf(text, sizeof text, value >= 10 ? "%.1f" : "%.2f", value);
  return text;
}

std::string goal_text(const Figure& figure, double bound) {
  const Goal& goal = *figure.goal;
  std::string text = goal.side == Goal::Side::at_most ? "<= " : ">= ";
  return text + number(bound) + (goal.of == Goal::Of::ratio ? " x" : " " + figure.unit);
}

std::string verdict(const Figure& figure) {
  if (!figure.goal) return "";
  if (keeps(figure, aim_of(*figure.goal))) return "ok";
  return keeps(figure, figure.goal->bound) ? "ok, over the aim" : "OVER";
}

std::vector<std::string> row(const Figure& figure) {
  std::vector<std::string> cells = {figure.name, number(figure.value) + " " + figure.unit};
  bool limited = figure.limit > 0;
  cells.push_back(limited ? number(figure.limit) + " " + figure.unit + "  " + figure.limit_name : "");
  cells.push_back(limited ? number(ratio_of(figure)) : "");
  cells.push_back(figure.goal ? goal_text(figure, figure.goal->bound) : "");
  cells.push_back(figure.goal && figure.goal->aim > 0 ? goal_text(figure, figure.goal->aim) : "");
  cells.push_back(verdict(figure));
  return cells;
}

double load_now() {
  double load[1] = {0};
  return getloadavg(load, 1) == 1 ? load[0] : 0;
}

}  // namespace

void Report::add(Figure figure) {
  fprintf(stderr, "bench: %-48s %s %s\n", figure.name.c_str(), number(figure.value).c_str(), figure.unit.c_str());
  figures_.push_back(std::move(figure));
}

std::string Report::table() const {
  std::vector<std::vector<std::string>> rows = {{"what", "figure", "raw limit", "ratio", "goal", "aim", ""}};
  for (const Figure& figure : figures_) rows.push_back(row(figure));
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& cells : rows)
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  std::string text;
  for (const auto& cells : rows) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      bool to_the_right = i == 1 || i == 3;
      std::string space(widths[i] - cells[i].size(), ' ');
      line += (to_the_right ? space + cells[i] : cells[i] + space) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text + conditions();
}

std::string Report::conditions() const {
  std::string text = "load " + number(load_now()) + ", " + std::to_string(std::thread::hardware_concurrency()) +
                     " processors, append + fdatasync " + number(sync_us_) + " us\n";
  if (sync_us_ > k_slow_sync_us)
    text += "The disk is slow or busy: beside it all else looks small, and ratios flatter.\n";
  if (quick_) text += "These are the sizes of a smoke test: the figures mean nothing.\n";
  return text;
}

std::string Report::json() const {
  nlohmann::json figures = nlohmann::json::array();
  for (const Figure& figure : figures_) {
    nlohmann::json one = {
        {"group", figure.group}, {"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}};
    if (figure.limit > 0) {
      one["limit"] = figure.limit;
      one["limit_name"] = figure.limit_name;
      one["ratio"] = ratio_of(figure);
    }
    if (figure.goal) {
      one["goal"] = goal_text(figure, figure.goal->bound);
      one["aim"] = goal_text(figure, aim_of(*figure.goal));
      one["ok"] = keeps(figure, figure.goal->bound);
      one["aim_met"] = keeps(figure, aim_of(*figure.goal));
    }
    figures.push_back(std::move(one));
  }
  utsname system = {};
  uname(&system);
  nlohmann::json whole = {{"figures", std::move(figures)},
                          {"load", load_now()},
                          {"sync_us", sync_us_},
                          {"quick", quick_},
                          {"processors", std::thread::hardware_concurrency()},
                          {"system", std::string(system.sysname) + " " + system.release}};
  return whole.dump(2) + "\n";
}

bool Report::within_bounds() const {
  return std::all_of(figures_.begin(), figures_.end(),
                     [](const Figure& figure) { return !figure.goal || keeps(figure, figure.goal->bound); });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::min(values.size(), std::max<size_t>(rank, 1)) - 1];
}

}  // namespace perilune::bench
