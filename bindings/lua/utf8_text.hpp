// UTF-8 as JSON wants it: no overlong forms, no surrogates, nothing above U+10FFFF. Header only: it is on the hot path
// of the codec. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace perilune::lua {

// The length of the valid multi-byte sequence at `at` (2 to 4), or 0.
inline size_t utf8_sequence(const char* at, const char* end) {
  const auto byte = [at](size_t i) { return static_cast<unsigned char>(at[i]); };
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const size_t left = static_cast<size_t>(end - at);
  const unsigned char lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF) return left >= 2 && tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    return lead == 0xED && byte(1) > 0x9F ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    return lead == 0xF4 && byte(1) > 0x8F ? 0 : 4;
  }
  return 0;
}

inline bool is_utf8(const char* at, size_t size) {
  const char* const end = at + size;
  while (at != end) {
    uint64_t eight;
    if (end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
      at += 8;
    } else if (static_cast<unsigned char>(*at) < 0x80) {
      ++at;
    } else if (size_t length = utf8_sequence(at, end)) {
      at += length;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace perilune::lua
