// What the bench has measured: figures with the raw limit, the ratio and the goal beside them, as a table or as JSON.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace perilune::bench {

// What a figure is held to. The bound must be kept; the aim is what the design asks for in the long run.
struct Goal {
  enum class Of { value, ratio };
  enum class Side { at_most, at_least };
  Of of = Of::value;
  Side side = Side::at_most;
  double bound = 0;
  double aim = 0;  // 0 = the bound itself
};

struct Figure {
  std::string group;  // "W2": what --only selects
  std::string name;
  double value = 0;  // a median
  std::string unit;
  std::string limit_name;  // the raw limit it is held against, or empty
  double limit = 0;        // in the same unit
  std::optional<Goal> goal;
};

class Report {
 public:
  // `sync_us`: what an append with fdatasync took just before. `quick`: the sizes are too small to mean anything.
  Report(double sync_us, bool quick) : sync_us_(sync_us), quick_(quick) {}
  // Shown on stderr at once, so that a long run tells where it is.
  void add(Figure figure);
  std::string table() const;
  std::string json() const;
  // False when a bound is not kept.
  bool within_bounds() const;

 private:
  std::string conditions() const;

  std::vector<Figure> figures_;
  double sync_us_;
  bool quick_;
};

// Of at least one value; the mean of the middle two when their number is even.
double median(std::vector<double> values);
double percentile(std::vector<double> values, double share);

}  // namespace perilune::bench
