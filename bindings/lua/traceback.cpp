// The script frames of a coroutine as text. Frames of C functions and of the runtime's own Lua (chunk names that begin
// with "=perilune" or "@perilune/") are left out: a reader of a workflow's error looks for the workflow's lines.
// Never raises: lua_getstack and lua_getinfo("Sln") neither allocate nor run code.
// SPDX-License-Identifier: MIT
#include <cstring>

#include "bindings/lua/error_object.hpp"

namespace perilune::lua {
namespace {

constexpr int k_frames_max = 32;
constexpr int k_newest_frames = 22;     // of a deep stack
constexpr int k_levels_looked_at = 64;  // at either end: lua_getstack takes time in proportion to the level

// The highest level of the stack, found by doubling and halving.
int last_level(lua_State* L) {
  lua_Debug frame;
  int low = -1, high = 1;
  while (lua_getstack(L, high, &frame)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (lua_getstack(L, middle, &frame) ? low : high) = middle;
  }
  return low;
}

// The line of one level, or "" for a frame that is not the script's.
std::string frame_text(lua_State* L, int level) {
  lua_Debug frame;
  if (!lua_getstack(L, level, &frame) || !lua_getinfo(L, "Sln", &frame)) return {};
  if (std::strcmp(frame.what, "C") == 0 || is_own_chunk(frame.source)) return {};
  std::string text = frame.short_src;
  if (frame.currentline > 0) text += ":" + std::to_string(frame.currentline);
  if (std::strcmp(frame.what, "main") == 0) return text + ": in main chunk";
  if (frame.name != nullptr) return text + ": in function '" + frame.name + "'";
  return text + ": in function <" + frame.short_src + ":" + std::to_string(frame.linedefined) + ">";
}

// Appends at most `frames_max` frames of the levels from..to; returns the level after the last one looked at.
int append_frames(lua_State* L, int from, int to, int frames_max, std::string& out) {
  int level = from;
  for (int frames = 0; level <= to && frames < frames_max; ++level) {
    const std::string text = frame_text(L, level);
    if (text.empty()) continue;
    if (!out.empty()) out += '\n';
    out += text;
    ++frames;
  }
  return level;
}

}  // namespace

bool is_own_chunk(const char* source) {
  return std::strncmp(source, "=perilune", 9) == 0 || std::strncmp(source, "@perilune/", 10) == 0;
}

std::string traceback_of(lua_State* coroutine) {
  std::string out;
  const int last = last_level(coroutine);
  if (last < k_levels_looked_at) {
    // Few levels: all frames, or the newest and the oldest of them.
    const int next = append_frames(coroutine, 0, last, k_newest_frames, out);
    const int oldest = last - (k_frames_max - k_newest_frames) + 1;
    if (oldest > next) out += "\n...";
    append_frames(coroutine, oldest > next ? oldest : next, last, k_frames_max, out);
    return out;
  }
  append_frames(coroutine, 0, k_levels_looked_at, k_newest_frames, out);
  out += "\n... (" + std::to_string(last + 1) + " levels in all)";
  append_frames(coroutine, last - (k_frames_max - k_newest_frames) + 1, last, k_frames_max, out);
  return out;
}

}  // namespace perilune::lua
