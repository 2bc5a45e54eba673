// One pass over the bytes: brackets outside strings are counted, everything else is the parser's business.
// SPDX-License-Identifier: MIT
#include "runtime/base/json_nesting.hpp"

#include <algorithm>

namespace perilune {

int json_nesting(std::string_view text) {
  int depth = 0, deepest = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        for (++i; i < text.size() && text[i] != '"'; ++i) {
          if (text[i] == '\\') ++i;
        }
        break;
      case '[':
      case '{':
        deepest = std::max(deepest, ++depth);
        break;
      case ']':
      case '}':
        --depth;
        break;
      default:
        break;
    }
  }
  return deepest;
}

}  // namespace perilune
