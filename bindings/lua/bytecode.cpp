// Walking the layout of Lua 5.4's bytecode; see bytecode.hpp.
//
//   header (31 bytes), number of upvalues (1), function
//   function: source name, line, last line, 3 bytes, code, constants, upvalues, functions, debug information
//   A function inside another one leaves its source name out. Sizes have 7 bits a byte, the last one marked by 0x80.
//
// SPDX-License-Identifier: MIT
#include "bindings/lua/bytecode.hpp"

#include <utility>

#include "bindings/lua/state.hpp"

namespace perilune::lua {
namespace {

constexpr size_t k_header_bytes = 31;
constexpr int k_depth_max = 200;   // of functions in one another: the compiler's own limit

// Tags of constants that have something behind them.
constexpr unsigned char k_float = 0x13, k_integer = 0x03, k_short_text = 0x04, k_long_text = 0x14;

}  // namespace

struct Bytecode::Reader {
  std::string_view text;
  size_t at = 0;
  bool ok = true;

  bool has(size_t bytes) { return ok = ok && bytes <= text.size() - at; }
  unsigned char byte() { return has(1) ? static_cast<unsigned char>(text[at++]) : 0; }
  void skip(size_t bytes) {
    if (has(bytes)) at += bytes;
  }
  size_t size() {
    size_t value = 0;
    for (int i = 0; ok && i < 10; ++i) {
      unsigned char next = byte();
      value = value << 7 | (next & 0x7f);
      if ((next & 0x80) != 0) return value;
    }
    ok = false;
    return 0;
  }
  void skip_text() {
    size_t length = size();
    if (length > 0) skip(length - 1);
  }
  // `bytes` each.
  void skip_list(size_t bytes) {
    size_t count = size();
    if (ok && count > text.size()) ok = false;
    skip(count * bytes);
  }
  void skip_constants() {
    for (size_t left = size(); ok && left > 0; --left) {
      switch (byte()) {
        case k_float:
        case k_integer:
          skip(8);
          break;
        case k_short_text:
        case k_long_text:
          skip_text();
          break;
        default:   // nil and booleans are their tag
          break;
      }
    }
  }
  void skip_debug() {
    skip_list(1);   // lines
    for (size_t left = size(); ok && left > 0; --left) size(), size();
    for (size_t left = size(); ok && left > 0; --left) skip_text(), size(), size();   // local variables
    for (size_t left = size(); ok && left > 0; --left) skip_text();                   // upvalues
  }
  // From behind the source name on.
  void function(std::vector<Function>& functions, int depth) {
    if (depth > k_depth_max) ok = false;
    size_t index = functions.size();
    functions.push_back({at, at, 0, 0, 0});
    int line = static_cast<int>(size()), last_line = static_cast<int>(size());
    skip(3);
    skip_list(4);   // code
    skip_constants();
    size_t before = at;
    size_t upvalues = size();
    at = before;
    skip_list(3);
    for (size_t left = size(); ok && left > 0; --left) {
      skip_text();
      function(functions, depth + 1);
    }
    skip_debug();
    if (upvalues > 255) ok = false;
    functions[index] = {functions[index].begin, at, line, last_line, static_cast<unsigned char>(upvalues)};
  }
};

Bytecode::Bytecode(std::string chunk) : chunk_(std::move(chunk)) {
  Reader reader{chunk_};
  reader.skip(k_header_bytes);
  reader.byte();
  source_begin_ = reader.at;
  reader.skip_text();
  source_end_ = reader.at;
  reader.function(functions_, 0);
  if (!reader.ok || reader.at != chunk_.size()) functions_.clear();
}

size_t Bytecode::find(std::string_view dump) const {
  Reader reader{dump};
  reader.skip(k_header_bytes + 1);
  size_t source = reader.at;
  reader.skip_text();
  std::string_view name = dump.substr(source, reader.at - source);
  if (!reader.ok || name != std::string_view(chunk_).substr(source_begin_, source_end_ - source_begin_)) return functions();
  std::string_view body = dump.substr(reader.at);
  int line = static_cast<int>(reader.size()), last_line = static_cast<int>(reader.size());
  for (size_t i = 0; i < functions_.size(); ++i) {
    const Function& function = functions_[i];
    if (function.line == line && function.last_line == last_line &&
        std::string_view(chunk_).substr(function.begin, function.end - function.begin) == body)
      return i;
  }
  return functions();
}

std::string Bytecode::function(size_t index) const {
  const Function& function = functions_[index];
  std::string text = chunk_.substr(0, k_header_bytes);
  text += static_cast<char>(function.upvalues);
  text.append(chunk_, source_begin_, source_end_ - source_begin_);
  text.append(chunk_, function.begin, function.end - function.begin);
  return text;
}

}  // namespace perilune::lua
