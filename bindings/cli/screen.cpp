// See screen.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>

#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

namespace {

constexpr const char* k_enter = "\x1b[?1049h\x1b[?25l";   // a screen of its own, no cursor
constexpr const char* k_leave = "\x1b[?25h\x1b[?1049l";

volatile sig_atomic_t end_asked = 0;
void on_end(int) { end_asked = 1; }
void on_resize(int) {}   // it ends the wait, and the next drawing has the new size

void handle(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;   // without SA_RESTART: a wait is to end
  sigaction(number, &action, nullptr);
}

}  // namespace

Screen::Screen(int input_fd, int output_fd) : input_(input_fd), output_(output_fd), before_() {
  tcgetattr(input_, &before_);
  struct termios raw = before_;
  raw.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO | ISIG));
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(input_, TCSANOW, &raw);
  for (int number : {SIGTERM, SIGHUP, SIGINT}) handle(number, on_end);
  handle(SIGWINCH, on_resize);
  write_all(output_, k_enter);
}

Screen::~Screen() {
  write_all(output_, k_leave);
  tcsetattr(input_, TCSANOW, &before_);
  for (int number : {SIGTERM, SIGHUP, SIGINT, SIGWINCH}) handle(number, SIG_DFL);
}

Screen::Size Screen::size() const {
  struct winsize size = {};
  if (ioctl(output_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

void Screen::draw(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  size_t rows = static_cast<size_t>(size().rows);
  for (size_t i = 0; i < lines.size() && i < rows; ++i) text += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[0m\x1b[K";
  write_all(output_, text + "\x1b[J");
}

std::string Screen::key() {
  if (end_asked != 0) return "quit";
  char bytes[64];
  ssize_t size = read(input_, bytes, sizeof bytes);
  if (size > 0) pending_.append(bytes, static_cast<size_t>(size));
  struct pollfd fd = {input_, POLLIN, 0};
  if (pending_.empty()) return size == 0 && poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP) != 0 ? "quit" : "";
  auto take = [this](size_t count, const char* name) { return pending_.erase(0, count), std::string(name); };
  if (pending_.starts_with("\x1b[A") || pending_.starts_with("\x1bOA")) return take(3, "up");
  if (pending_.starts_with("\x1b[B") || pending_.starts_with("\x1bOB")) return take(3, "down");
  if (pending_[0] == '\x1b') {
    bool sequence = pending_.size() > 2 && (pending_[1] == '[' || pending_[1] == 'O');
    return take(sequence ? 3 : 1, sequence ? "other" : "escape");
  }
  if (pending_[0] == '\r' || pending_[0] == '\n') return take(1, "enter");
  if (pending_[0] == '\x03') return take(1, "quit");
  std::string name(1, pending_[0]);
  return pending_.erase(0, 1), name;
}

}  // namespace perilune::cli
