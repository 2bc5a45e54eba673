// Progress on a terminal: finished steps scroll by above, and a few lines below say what goes on; see progress.hpp.
//
//   ✓ reserve 12ms                                  <- lines, written once
//   order 0197aaaa-...  3.2s  4 steps               <- the block, drawn anew: head,
//     map items: 12 of 100                             scopes,
//     ● charge 1.9s (attempt 2)                        operations
//
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "bindings/cli/progress.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/run_report.hpp"
#include "bindings/cli/run_state.hpp"
#include "bindings/cli/wait_text.hpp"

namespace perilune::cli {
namespace {

using journal::Record;
using store::RunRow;

constexpr int64_t k_redraw_us = 100'000;
constexpr size_t k_rows_max = 8;  // operations and scopes of a run that are shown
constexpr size_t k_runs_max = 4;
constexpr size_t k_lines_kept_bytes = 64 * 1024;

struct LiveRun {
  RunRow row;
  RunState state;
  RunReport report{false};
};

class LiveProgress final : public Progress {
 public:
  LiveProgress(loop::Loop& loop, int fd, const Terminal& terminal) : loop_(loop), fd_(fd), terminal_(terminal) {}
  ~LiveProgress() override { close(); }

  bool wants_past() const override { return true; }
  void started(const RunRow& row, bool resumed, const std::vector<Record>& past) override;
  void committed(const RunRow& row, const Record& record) override;
  void log(int64_t, std::string_view level, std::string_view text) override;
  void ended(const RunRow& row, const flow::Ending& ending) override;
  void close() override;

 private:
  void line(std::string text);
  void ask_redraw();
  void redraw();
  std::string block();
  void add_run(std::string& out, const LiveRun& run, int64_t now_us);
  void add_row(std::string& out, Paint paint, const std::string& text);
  std::string operation_row(const OpenOperation& operation, int64_t now_us, Paint& paint) const;
  std::string mark_of(Mark mark) const;

  loop::Loop& loop_;
  int fd_;
  Terminal terminal_;
  std::map<std::string, LiveRun> runs_;
  std::string lines_;  // to be written above the block
  size_t drawn_ = 0;   // lines of the block on the screen
  loop::TimerId timer_ = 0;
};

void LiveProgress::started(const RunRow& row, bool resumed, const std::vector<Record>& past) {
  LiveRun& run = runs_[row.id];
  run.row = row;
  run.row.input.clear();
  for (const Record& record : past) {
    run.state.apply(record);
    run.report.apply(record);
  }
  if (resumed)
    line("  run " + printable(row.id) + " resumed: " + std::to_string(run.state.steps_done()) + " steps are done");
  ask_redraw();
}

void LiveProgress::committed(const RunRow& row, const Record& record) {
  auto found = runs_.find(row.id);
  if (found == runs_.end()) return;
  found->second.state.apply(record);
  found->second.report.apply(record);
  bool scope = record.kind == journal::Kind::scope_opened || record.kind == journal::Kind::timer_set ||
               record.kind == journal::Kind::wait_started;
  if (scope) return ask_redraw();  // the block shows them
  if (auto event = event_text(record)) line(mark_of(event->mark) + " " + event->text);
  if (record.kind == journal::Kind::ask_opened) line(painted(terminal_, Paint::bold, answer_hint(row.id, record)));
}

void LiveProgress::log(int64_t, std::string_view level, std::string_view text) {
  bool loud = level == "warn" || level == "error";
  line("  " + painted(terminal_, loud ? Paint::yellow : Paint::dim, log_text(level, text)));
}

void LiveProgress::ended(const RunRow& row, const flow::Ending& ending) {
  Mark mark = ending.status == store::Status::completed ? Mark::done : Mark::failed;
  int64_t now_us = loop_.clock().wall_us();
  line(mark_of(mark) + " " + end_text(row, ending, now_us));
  if (auto run = runs_.find(row.id); run != runs_.end() && store::is_final(ending.status))
    for (const std::string& text : report_short(run->second.report, now_us - row.created_us)) line("  " + painted(terminal_, Paint::dim, text));
  runs_.erase(row.id);
}

void LiveProgress::close() {
  loop_.stop_timer(timer_);
  timer_ = 0;
  runs_.clear();
  redraw();
}

void LiveProgress::line(std::string text) {
  lines_.append(text) += '\n';
  if (lines_.size() > k_lines_kept_bytes) redraw();
  ask_redraw();
}

void LiveProgress::ask_redraw() {
  if (timer_ != 0) return;
  timer_ = loop_.start_timer(k_redraw_us, [this] {
    timer_ = 0;
    redraw();
    if (!runs_.empty()) ask_redraw();  // the clocks in the block go on
  });
}

// One write: up to the block's first line, clear from there, the new lines, the new block.
void LiveProgress::redraw() {
  std::string out;
  if (drawn_ > 0) out += "\x1b[" + std::to_string(drawn_) + "A\r\x1b[J";
  out += lines_;
  lines_.clear();
  drawn_ = 0;
  out += block();
  write_all(fd_, out);
}

std::string LiveProgress::block() {
  std::string out;
  int64_t now_us = loop_.clock().wall_us();
  size_t shown = 0;
  for (const auto& [id, run] : runs_) {
    if (shown++ == k_runs_max) break;
    add_run(out, run, now_us);
  }
  if (runs_.size() > k_runs_max)
    add_row(out, Paint::dim, "and " + std::to_string(runs_.size() - k_runs_max) + " more runs");
  return out;
}

void LiveProgress::add_run(std::string& out, const LiveRun& run, int64_t now_us) {
  std::string head = printable(run.row.workflow) + " " + printable(run.row.id) + "  " +
                     short_duration((now_us - run.row.created_us) / k_redraw_us * k_redraw_us);
  if (run.state.steps_done() > 0) head += "  " + std::to_string(run.state.steps_done()) + " steps";
  if (run.state.steps_failed() > 0) head += ", " + std::to_string(run.state.steps_failed()) + " failed";
  add_row(out, Paint::bold, head);
  size_t rows = 0, hidden = 0;
  for (const OpenScope* scope : run.state.scopes()) {
    if (++rows > k_rows_max) {
      ++hidden;
      continue;
    }
    std::string text = "  " + scope->call + (scope->name == scope->call ? "" : " " + printable(scope->name)) + ": " +
                       std::to_string(scope->done) + " of " + std::to_string(scope->total);
    if (scope->failed > 0) text += ", " + std::to_string(scope->failed) + " failed";
    add_row(out, Paint::none, text);
  }
  for (const OpenOperation* operation : run.state.operations()) {
    if (++rows > k_rows_max) {
      ++hidden;
      continue;
    }
    Paint paint = Paint::none;
    std::string text = operation_row(*operation, now_us, paint);
    add_row(out, paint, text);
  }
  for (const journal::Wait* wait : run.state.waits()) {
    if (wait->what == journal::Wait::For::retry) continue;   // it is among the operations
    if (++rows > k_rows_max) {
      ++hidden;
      continue;
    }
    int64_t left_us = std::max<int64_t>(0, wait->due_us - now_us);
    add_row(out, Paint::dim, "  … " + wait_text(*wait) + (wait->due_us == 0 ? "" : ", " + short_duration(left_us) + " left"));
  }
  if (hidden > 0) add_row(out, Paint::dim, "  and " + std::to_string(hidden) + " more");
}

std::string LiveProgress::operation_row(const OpenOperation& operation, int64_t now_us, Paint& paint) const {
  std::string name = printable(operation.name);
  int64_t left_us = std::max<int64_t>(0, operation.due_us - now_us);
  if (operation.state == OpenOperation::State::retrying && left_us > 0) {
    paint = Paint::yellow;
    return "  ↻ " + name + " again in " + short_duration(left_us) + ": " + printable(operation.error);
  }
  bool retried = operation.state == OpenOperation::State::retrying;
  int64_t since_us = retried ? operation.due_us : operation.since_us;
  int attempt = operation.attempt + (retried ? 1 : 0);
  return "  ● " + name + " " + short_duration((now_us - since_us) / k_redraw_us * k_redraw_us) +
         (attempt > 1 ? " (attempt " + std::to_string(attempt) + ")" : "");
}

void LiveProgress::add_row(std::string& out, Paint paint, const std::string& text) {
  out.append(painted(terminal_, paint, clipped(text, terminal_.width - 1))) += '\n';
  ++drawn_;
}

std::string LiveProgress::mark_of(Mark mark) const {
  switch (mark) {
    case Mark::done:
      return painted(terminal_, Paint::green, "✓");
    case Mark::failed:
      return painted(terminal_, Paint::red, "✗");
    case Mark::retry:
      return painted(terminal_, Paint::yellow, "↻");
    case Mark::skipped:
      return painted(terminal_, Paint::dim, "-");
    case Mark::note:
      break;
  }
  return " ";
}

}  // namespace

std::unique_ptr<Progress> make_live_progress(loop::Loop& loop, int fd, const Terminal& terminal) {
  return std::make_unique<LiveProgress>(loop, fd, terminal);
}

}  // namespace perilune::cli
