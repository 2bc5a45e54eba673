// perilune top: the runs of a store as they go, with keys to look at one, cancel it or try it again. Without a terminal: the table
// once. SPDX-License-Identifier: MIT
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "bindings/cli/errand.hpp"
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_board.hpp"
#include "bindings/cli/screen.hpp"
#include "bindings/cli/store_follower.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/why.hpp"

namespace perilune::cli {

using Woken = store::ChangeWatch::Woken;

namespace {

constexpr size_t k_lines_max = 200;
constexpr int k_pause_ms = 100;   // between two looks, however much is written

int64_t time_us(clockid_t clock) {
  struct timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

std::vector<std::string> lines_of(const std::string& text, int width) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(clipped(std::string_view(text).substr(at, end - at), width));
    at = end + 1;
  }
  return lines;
}

class Top {
 public:
  Top(StoreView& view, const CommonOptions& options)
      : view_(view), options_(options), board_(view, k_lines_max), watch_(view, {}, INT64_MAX), screen_(STDIN_FILENO, STDOUT_FILENO) {}

  // Nothing when it was ended by a key.
  std::optional<Error> follow();
  const std::vector<Errand>& errands() const { return errands_; }

 private:
  enum class Page : uint8_t { table, run, sure };
  bool press(const std::string& key);
  void look_after_errands();
  void draw();
  std::vector<std::string> table(Screen::Size size);
  std::vector<std::string> page_of_run(Screen::Size size);
  std::string foot() const;
  const RunBoard::Line* selected() const;
  void send(const std::string& verb);

  StoreView& view_;
  const CommonOptions& options_;
  RunBoard board_;
  StoreFollower watch_;
  std::string selected_;         // the id of a run
  Page page_ = Page::table;
  std::string remark_;
  std::vector<Errand> errands_;
  Screen screen_;
};

std::optional<Error> Top::follow() {
  for (;;) {
    if (Result<void> looked = board_.refresh(time_us(CLOCK_MONOTONIC)); !looked.ok()) return looked.error();
    look_after_errands();
    draw();
    Woken woken = watch_.wait(STDIN_FILENO);
    bool pressed = false;
    for (std::string key = screen_.key(); !key.empty(); key = screen_.key()) {
      pressed = true;
      if (!press(key)) return std::nullopt;
    }
    struct pollfd keys = {STDIN_FILENO, POLLIN, 0};
    if (!pressed && woken == Woken::look) poll(&keys, 1, k_pause_ms);
  }
}

const RunBoard::Line* Top::selected() const {
  for (const RunBoard::Line& line : board_.lines())
    if (line.row.id == selected_) return &line;
  return nullptr;
}

bool Top::press(const std::string& key) {
  if (key == "quit") return false;
  const RunBoard::Line* run = selected();
  if (page_ == Page::sure) {
    page_ = Page::table;
    remark_ = key == "y" ? "" : "not cancelled";
    if (key == "y" && run != nullptr) send("cancel");
    return true;
  }
  if (page_ == Page::run) {
    if (key == "escape" || key == "q" || key == "enter") page_ = Page::table;
    return true;
  }
  remark_.clear();
  if (key == "q" || key == "escape") return false;
  if (run == nullptr) return true;
  auto at = static_cast<size_t>(run - board_.lines().data());
  if ((key == "down" || key == "j") && at + 1 < board_.lines().size()) selected_ = board_.lines()[at + 1].row.id;
  if ((key == "up" || key == "k") && at > 0) selected_ = board_.lines()[at - 1].row.id;
  if (key == "enter" || key == "o") page_ = Page::run;
  if (key == "c" && at >= board_.unfinished()) remark_ = "it is over already";
  if (key == "c" && at < board_.unfinished()) page_ = Page::sure;
  if (key == "r") send("retry");
  return true;
}

// The verb itself knows whether it is open for the run, and says so.
void Top::send(const std::string& verb) {
  std::vector<std::string> words = {verb, selected_, "--quiet"};
  if (!options_.store.empty()) words.insert(words.end(), {"--store", options_.store});
  errands_.emplace_back(words, verb + " " + printable(selected_));
  remark_ = verb + " " + printable(selected_) + " ...";
}

void Top::look_after_errands() {
  std::erase_if(errands_, [this](Errand& errand) {
    std::optional<std::string> how = errand.over();
    if (how) remark_ = *how;
    return how.has_value();
  });
}

std::string Top::foot() const {
  if (page_ == Page::sure) return "cancel " + printable(selected_) + ", and undo what it did? y/n";
  if (page_ == Page::run) return "enter: back";
  return remark_.empty() ? "up/down: choose   enter: why   c: cancel   r: retry   q: quit" : remark_;
}

std::vector<std::string> Top::table(Screen::Size size) {
  if (selected() == nullptr && !board_.lines().empty()) selected_ = board_.lines().front().row.id;
  std::vector<std::string> rows = board_text(board_, size.columns, time_us(CLOCK_REALTIME));
  std::vector<std::string> lines = {"\x1b[1m" + rows.front()};
  auto fits = static_cast<size_t>(std::max(1, size.rows - 3));
  const RunBoard::Line* run = selected();
  size_t at = run == nullptr ? 0 : static_cast<size_t>(run - board_.lines().data());
  size_t first = at < fits ? 0 : at - fits + 1;
  for (size_t i = first; i < board_.lines().size() && i < first + fits; ++i)
    lines.push_back((i == at && run != nullptr ? "\x1b[7m" : "") + rows[i + 1]);
  return lines;
}

std::vector<std::string> Top::page_of_run(Screen::Size size) {
  Result<std::optional<store::RunRow>> row = view_.reader->run(selected_);
  if (!row.ok() || !row->has_value()) return {"run " + printable(selected_) + " is gone"};
  Result<Explanation> found = explain(view_, std::move(**row), options_);
  return lines_of(found.ok() ? explanation_text(*found) : one_line(found.error()) + "\n", size.columns);
}

void Top::draw() {
  Screen::Size size = screen_.size();
  char rate[32];
  snprintf(rate, sizeof rate, "%.0f", board_.records_per_s());
  std::vector<std::string> lines = {clipped("perilune  " + std::to_string(board_.unfinished()) + " unfinished runs  " + rate + " records/s", size.columns)};
  std::vector<std::string> body = page_ == Page::run ? page_of_run(size) : table(size);
  body.resize(static_cast<size_t>(std::max(1, size.rows - 2)));
  lines.insert(lines.end(), body.begin(), body.end());
  lines.push_back("\x1b[2m" + clipped(foot(), size.columns));
  screen_.draw(lines);
}

int print_once(StoreView& view, const CommonOptions& options) {
  RunBoard board(view, k_lines_max);
  if (Result<void> looked = board.refresh(0); !looked.ok()) return complain(looked.error());
  if (options.json) {
    print_json(board_json(board));
    return k_exit_ok;
  }
  for (const std::string& line : board_text(board, INT32_MAX, time_us(CLOCK_REALTIME))) print_out(line + "\n");
  return k_exit_ok;
}

}  // namespace

int verb_top(const CommonOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  if (options.json || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) return print_once(*view, options);
  std::optional<Error> failed;
  std::string left;
  {
    Top top(*view, options);
    failed = top.follow();
    for (const Errand& errand : top.errands()) left += "perilune " + errand.name() + " goes on as process " + std::to_string(errand.pid()) + "\n";
  }
  print_err(left);
  return failed ? complain(*failed) : k_exit_ok;
}

}  // namespace perilune::cli
