// The runs of a store as `top` shows them: those that are not over, then the newest of the others; what each does or waits for,
// and how much is recorded. Kept up to date by reading only what is new of each journal. Uses store_view, run_state.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/cli/run_state.hpp"
#include "bindings/cli/store_view.hpp"

namespace perilune::cli {

class RunBoard {
 public:
  struct Line {
    store::RunRow row;             // without input and output
    size_t steps_done = 0;
    std::string now;               // "step charge (attempt 2)", "waits for signal 'paid'"; safe for a terminal
    size_t waits = 0;
  };
  RunBoard(StoreView& view, size_t lines_max) : view_(view), lines_max_(lines_max) {}

  // Looks at the store; `now_us` is monotonic.
  Result<void> refresh(int64_t now_us);
  const std::vector<Line>& lines() const { return lines_; }
  size_t unfinished() const { return unfinished_; }    // of the lines
  // Records committed a second, between the last looks that were a second or more apart.
  double records_per_s() const { return records_per_s_; }

 private:
  struct Known {
    RunState state;
    uint64_t last_seq = 0;
    bool seen = false;             // in this look
  };
  Result<void> read_on(const store::RunRow& row, Known& known);
  Result<void> add_line(store::RunRow row);
  void measure(int64_t position, int64_t now_us);

  StoreView& view_;
  size_t lines_max_;
  std::vector<Line> lines_;
  size_t unfinished_ = 0;
  std::unordered_map<std::string, Known> known_;     // of runs that are not over
  int64_t measured_position_ = -1, measured_us_ = 0;
  double records_per_s_ = 0;
};

// The table: a head and a line each, no wider than `width`.
std::vector<std::string> board_text(const RunBoard& board, int width, int64_t wall_us);
std::string board_json(const RunBoard& board);

}  // namespace perilune::cli
