// The token list of a parsed JSON text (State::tape()). Parsing fills it, pushing reads it; strings are offsets into
// one buffer, so that a tape is two allocations, reused by the next text. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace perilune::lua {

class Tape {
 public:
  enum class Kind : uint8_t { k_null, k_false, k_true, k_integer, k_number, k_string, k_array, k_object };

  // A container is followed by its items; an object by key (k_string), value, key, value. `size` is the number of items
  // or pairs of a container, and the bytes of a string.
  struct Token {
    Kind kind;
    uint32_t size;
    union {
      int64_t integer;
      double number;
      size_t offset;
    };
  };

  // A buffer that a huge text has left behind is given back, one of usual size is kept.
  void clear() {
    tokens.clear();
    text.clear();
    if (tokens.capacity() > k_kept_tokens) tokens.shrink_to_fit();
    if (text.capacity() > k_kept_bytes) text.shrink_to_fit();
  }

  std::vector<Token> tokens;
  std::string text;

 private:
  static constexpr size_t k_kept_tokens = 64 * 1024;
  static constexpr size_t k_kept_bytes = 1024 * 1024;
};

}  // namespace perilune::lua
