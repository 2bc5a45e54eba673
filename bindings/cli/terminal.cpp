// See terminal.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bindings/cli/exit_code.hpp"
#include "bindings/lua/utf8_text.hpp"

namespace perilune::cli {
namespace {

constexpr int k_width_default = 80;
constexpr int k_width_min = 20;

int width_of(int fd) {
  const char* columns = std::getenv("COLUMNS");
  int width = columns == nullptr ? 0 : std::atoi(columns);
  struct winsize size = {};
  if (width <= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width <= 0) return k_width_default;
  return width < k_width_min ? k_width_min : width;
}

const char* escape_of(Paint paint) {
  switch (paint) {
    case Paint::dim:
      return "\x1b[2m";
    case Paint::bold:
      return "\x1b[1m";
    case Paint::red:
      return "\x1b[31m";
    case Paint::green:
      return "\x1b[32m";
    case Paint::yellow:
      return "\x1b[33m";
    case Paint::none:
      break;
  }
  return "";
}

void add_hex(std::string& out, unsigned char byte) {
  constexpr char k_digits[] = "0123456789abcdef";
  out += "\\x";
  out += k_digits[byte >> 4];
  out += k_digits[byte & 15];
}

// The bytes of the character at `at` (1 for ASCII), or 0 when it is not UTF-8.
size_t character(const char* at, const char* end) {
  if (static_cast<unsigned char>(*at) < 0x80) return 1;
  return lua::utf8_sequence(at, end);
}

uint32_t code_point(const char* at, size_t size) {
  auto byte = [at](size_t i) { return static_cast<unsigned char>(at[i]); };
  if (size == 1) return byte(0);
  uint32_t point = byte(0) & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) point = (point << 6) | (byte(i) & 0x3F);
  return point;
}

// C1 controls act on some terminals as escapes do; the bidirectional marks reorder what stands around them.
bool is_hidden(uint32_t point) {
  return (point >= 0x80 && point < 0xA0) || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

bool is_wide(uint32_t p) {
  return (p >= 0x1100 && p <= 0x115F) || (p >= 0x2E80 && p <= 0xA4CF) || (p >= 0xAC00 && p <= 0xD7A3) ||
         (p >= 0xF900 && p <= 0xFAFF) || (p >= 0xFE30 && p <= 0xFE6F) || (p >= 0xFF00 && p <= 0xFF60) ||
         (p >= 0x1F300 && p <= 0x1FAFF) || (p >= 0x20000 && p <= 0x3FFFD);
}

std::string escaped(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    size_t size = character(at, end);
    unsigned char byte = static_cast<unsigned char>(*at);
    if (size == 1 && (byte == '\n' || byte == '\t')) {
      if (lines)
        out += *at;
      else
        out += byte == '\n' ? "\\n" : "\\t";
    } else if (size == 1 && byte == '\r') {
      out += "\\r";
    } else if (size == 0 || (size == 1 && (byte < 0x20 || byte == 0x7F))) {
      add_hex(out, byte);
    } else if (size > 1 && is_hidden(code_point(at, size))) {
      for (size_t i = 0; i < size; ++i) add_hex(out, static_cast<unsigned char>(at[i]));
    } else {
      out.append(at, size);
    }
    at += size == 0 ? 1 : size;
  }
  return out;
}

}  // namespace

Terminal terminal_of(int fd) {
  Terminal terminal;
  terminal.tty = isatty(fd) != 0;
  const char* term = std::getenv("TERM");
  const char* no_colour = std::getenv("NO_COLOR");
  bool plain = (no_colour != nullptr && *no_colour != '\0') || term == nullptr || std::strcmp(term, "dumb") == 0;
  terminal.colour = terminal.tty && !plain;
  terminal.width = width_of(fd);
  return terminal;
}

std::string painted(const Terminal& terminal, Paint paint, std::string_view text) {
  if (!terminal.colour || paint == Paint::none) return std::string(text);
  return escape_of(paint) + std::string(text) + "\x1b[0m";
}

std::string printable(std::string_view text) { return escaped(text, false); }
std::string printable_lines(std::string_view text) { return escaped(text, true); }

int columns_of(std::string_view text) {
  int columns = 0;
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    size_t size = character(at, end);
    columns += size > 1 && is_wide(code_point(at, size)) ? 2 : 1;
    at += size == 0 ? 1 : size;
  }
  return columns;
}

std::string clipped(std::string_view text, int width) {
  if (columns_of(text) <= width) return std::string(text);
  const char* end = text.data() + text.size();
  const char* at = text.data();
  int columns = 0;
  while (at != end) {
    size_t size = character(at, end);
    if (size == 0) size = 1;
    columns += size > 1 && is_wide(code_point(at, size)) ? 2 : 1;
    if (columns > width - 1) break;
    at += size;
  }
  return std::string(text.data(), at) + "…";
}

std::string padded(std::string_view text, int width) {
  std::string out(text);
  int missing = width - columns_of(text);
  if (missing > 0) out.append(static_cast<size_t>(missing), ' ');
  return out;
}

std::string indented(std::string_view text, std::string_view prefix) {
  std::string out;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    out.append(prefix).append(line) += '\n';
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

void print_out(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int flush_out(int exit_code) {
  errno = 0;
  bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || errno == EPIPE) return exit_code;
  print_err(std::string("perilune: cannot write the output: ") + std::strerror(errno) + "\n");
  return exit_code == k_exit_ok ? k_exit_storage : exit_code;
}

void print_err(std::string_view text) { write_all(STDERR_FILENO, text); }

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace perilune::cli
