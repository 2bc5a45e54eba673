// What a person sees of runs while they go on, on stderr: plain lines anywhere, a few live lines on a terminal.
// Promises: cheap whatever the run does: lines are gathered and written at most every 50 ms, the live part is drawn at
// most 10 times a second. close() writes what is left and takes the live part away.
// Uses loop (for its timers), run_state, record_text, terminal.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/cli/terminal.hpp"
#include "runtime/flow/execution.hpp"
#include "runtime/loop/loop.hpp"
#include "runtime/store/store.hpp"

namespace perilune::cli {

class Progress {
 public:
  virtual ~Progress() = default;
  // `past`: the records that a resumed run has already.
  virtual void started(const store::RunRow& row, bool resumed, const std::vector<journal::Record>& past) = 0;
  virtual bool wants_past() const { return false; }
  virtual void committed(const store::RunRow& row, const journal::Record& record) = 0;
  virtual void log(int64_t at_us, std::string_view level, std::string_view text) = 0;
  virtual void ended(const store::RunRow& row, const flow::Ending& ending) = 0;
  virtual void close() = 0;
};

// Lines such as "12:01:02 step reserve done in 12ms".
std::unique_ptr<Progress> make_plain_progress(loop::Loop& loop, int fd);
// Finished steps as lines; below them what goes on, drawn anew as it changes.
std::unique_ptr<Progress> make_live_progress(loop::Loop& loop, int fd, const Terminal& terminal);

// The one that fits what `fd` is; plain when `json` goes to stdout.
std::unique_ptr<Progress> make_progress(loop::Loop& loop, int fd, bool json);

// "warn: text", in one line.
std::string log_text(std::string_view level, std::string_view text);
// "run 0197... completed in 1.2s"
std::string end_text(const store::RunRow& row, const flow::Ending& ending, int64_t now_us);

}  // namespace perilune::cli
