// A terminal taken over: a screen of its own, keys as they are pressed. Promises: however the process leaves (return, SIGTERM,
// SIGHUP, Ctrl-C), the terminal is as it was before. Only one at a time. SPDX-License-Identifier: MIT
#pragma once

#include <termios.h>

#include <string>
#include <vector>

namespace perilune::cli {

class Screen {
 public:
  Screen(int input_fd, int output_fd);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  struct Size {
    int columns, rows;
  };
  Size size() const;
  // Lines from the top, which must not be wider than the screen; the rest is empty.
  void draw(const std::vector<std::string>& lines);
  // A key that has been pressed: its character, "up", "down", "enter", "escape"; empty when there is none. "quit" when
  // the terminal has gone or a signal asked for the end.
  std::string key();

 private:
  int input_, output_;
  struct termios before_;
  std::string pending_;
};

}  // namespace perilune::cli
