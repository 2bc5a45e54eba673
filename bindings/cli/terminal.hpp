// What a person's terminal can show: colour, width, and text that cannot take it over. And writing to stdout and
// stderr. Promises: nothing that a script or a file named reaches a terminal with control characters in it (printable);
// a reader that has gone away (EPIPE) is no error and ends nothing. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace perilune::cli {

struct Terminal {
  bool tty = false;
  bool colour = false;  // a tty, NO_COLOR is not set and TERM is not "dumb"
  int width = 80;       // COLUMNS, else the terminal's, else 80
};
Terminal terminal_of(int fd);

enum class Paint { none, dim, bold, red, green, yellow };
std::string painted(const Terminal& terminal, Paint paint, std::string_view text);

// Control characters (line ends too) and what is not UTF-8, escaped as \n, \x1b ...; the rest as it is.
std::string printable(std::string_view text);
// The same for text of several lines: line ends and tabs stay.
std::string printable_lines(std::string_view text);
// Columns that printable text takes, wide East Asian characters counted twice.
int columns_of(std::string_view text);
// Cut to `width` columns, with "…" where something is cut off; padded(), in turn, filled up with spaces.
std::string clipped(std::string_view text, int width);
std::string padded(std::string_view text, int width);

// Each line of `text` behind `prefix`.
std::string indented(std::string_view text, std::string_view prefix);

// Buffered; flush_out() returns `exit_code`, or 74 when what was printed could not be written (a closed pipe is fine).
void print_out(std::string_view text);
int flush_out(int exit_code);
// At once.
void print_err(std::string_view text);
void write_all(int fd, std::string_view bytes);

}  // namespace perilune::cli
