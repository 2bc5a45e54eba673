// Progress as plain lines; see progress.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/progress.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/wait_text.hpp"

namespace perilune::cli {
namespace {

constexpr int64_t k_gather_us = 50'000;
constexpr size_t k_gather_bytes = 64 * 1024;

class PlainProgress final : public Progress {
 public:
  PlainProgress(loop::Loop& loop, int fd) : loop_(loop), fd_(fd) {}
  ~PlainProgress() override { close(); }

  void started(const store::RunRow& row, bool resumed, const std::vector<journal::Record>&) override {
    line(loop_.clock().wall_us(), "run " + printable(row.id) + " (" + printable(row.workflow) + ") " +
                                      (resumed ? "resumed at record " + std::to_string(row.last_seq) : "started"));
  }

  void committed(const store::RunRow& row, const journal::Record& record) override {
    if (auto event = event_text(record)) {
      line(record.at_us, event->text);
      if (record.kind == journal::Kind::ask_opened) line(record.at_us, answer_hint(row.id, record));
    } else if (record.kind == journal::Kind::step_started) {
      line(record.at_us, "step " + printable(record.name) + " is running");
    }
  }

  void log(int64_t at_us, std::string_view level, std::string_view text) override {
    line(at_us, log_text(level, text));
  }

  void ended(const store::RunRow& row, const flow::Ending& ending) override {
    int64_t now_us = loop_.clock().wall_us();
    line(now_us, end_text(row, ending, now_us));
  }

  void close() override {
    loop_.stop_timer(timer_);
    timer_ = 0;
    write_all(fd_, pending_);
    pending_.clear();
  }

 private:
  void line(int64_t at_us, std::string_view text) {
    pending_.append(clock_time(at_us)).append(" ").append(text) += '\n';
    if (pending_.size() > k_gather_bytes) return close();
    if (timer_ == 0) timer_ = loop_.start_timer(k_gather_us, [this] { close(); });
  }

  loop::Loop& loop_;
  int fd_;
  std::string pending_;
  loop::TimerId timer_ = 0;
};

}  // namespace

std::unique_ptr<Progress> make_plain_progress(loop::Loop& loop, int fd) {
  return std::make_unique<PlainProgress>(loop, fd);
}

std::string log_text(std::string_view level, std::string_view text) {
  std::string shown = printable(text);
  return level == "info" ? shown : std::string(level) + ": " + shown;
}

std::string end_text(const store::RunRow& row, const flow::Ending& ending, int64_t now_us) {
  std::string text = "run " + printable(row.id) + " ";
  if (store::is_final(ending.status) || ending.status == store::Status::diverged)
    return text.append(store::status_name(ending.status)) + " in " + short_duration(now_us - row.created_us);
  return text + "stopped here";
}

std::unique_ptr<Progress> make_progress(loop::Loop& loop, int fd, bool json) {
  Terminal terminal = terminal_of(fd);
  return terminal.colour && !json ? make_live_progress(loop, fd, terminal) : make_plain_progress(loop, fd);
}

}  // namespace perilune::cli
