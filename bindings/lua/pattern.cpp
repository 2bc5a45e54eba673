// Matching of patterns; see pattern.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/pattern.hpp"

#include <cstring>

namespace perilune::lua {
namespace {

using Node = PatternNode;
using Byte = unsigned char;

[[noreturn]] void raise_mistake(lua_State* L, const Node& node) {
  static constexpr const char* k_messages[] = {"malformed pattern (ends with '%')",
                                               "malformed pattern (missing ']')",
                                               "missing '[' after '%f' in pattern",
                                               "malformed pattern (missing arguments to '%b')",
                                               "too many captures",
                                               "invalid pattern capture"};
  if (node.other == Node::k_bad_reference) {
    luaL_error(L, "invalid capture index %%%d", int(node.value));
  } else {
    luaL_error(L, "%s", k_messages[node.other]);
  }
  std::abort();  // luaL_error does not return
}

}  // namespace

bool Pattern::one(const Node& node, const char* at) {
  switch (node.kind) {
    case Node::k_any:
      return true;
    case Node::k_byte:
      return Byte(*at) == node.value;
    default:
      return node.set->has(Byte(*at));
  }
}

const char* Pattern::run_of(const Node& node, const char* at) const {
  const char* const end = subject_end_;
  if (node.kind == Node::k_any) return end;
  if (node.kind == Node::k_byte) {
    while (at != end && Byte(*at) == node.value) ++at;
  } else {
    const PatternSet set = *node.set;
    while (at != end && set.has(Byte(*at))) ++at;
  }
  return at;
}

// The end of a run that begins with `opens` and in which each has its `closes`; null if there is none.
static const char* balanced_run(const char* at, const char* end, Byte opens, Byte closes) {
  if (at == end || Byte(*at) != opens) return nullptr;
  int64_t depth = 1;
  while (++at != end) {
    if (Byte(*at) == closes) {
      if (--depth == 0) return at + 1;
    } else if (Byte(*at) == opens) {
      ++depth;
    }
  }
  return nullptr;
}

// Matches one node at `at` and moves it; false when the node does not match.
bool Pattern::step(lua_State* L, int index, const char*& at) {
  State& state = State::of(L);
  Node& node = nodes_[index];
  switch (node.kind) {
    case Node::k_text:
      if (size_t(subject_end_ - at) < node.size || std::memcmp(at, node.text, node.size) != 0) return false;
      state.charge(L, node.size / 16);
      at += node.size;
      return true;
    case Node::k_open:
    case Node::k_position:
      captures_[node.value] = {at, nullptr, node.kind == Node::k_position};
      return true;
    case Node::k_close:
      captures_[node.value].end = at;
      return true;
    case Node::k_reference: {
      const Capture& capture = captures_[node.value];
      const size_t size = size_t(capture.end - capture.begin);
      if (capture.is_position || size_t(subject_end_ - at) < size) return false;
      state.charge(L, int64_t(size / 16));
      if (std::memcmp(at, capture.begin, size) != 0) return false;
      at += size;
      return true;
    }
    case Node::k_balanced: {
      const char* const behind = balanced_run(at, subject_end_, node.value, node.other);
      const bool began = at != subject_end_ && Byte(*at) == node.value;
      if (began) state.charge(L, (behind == nullptr ? subject_end_ : behind) - at);
      if (behind == nullptr) return false;
      at = behind;
      return true;
    }
    case Node::k_frontier: {
      const PatternSet& set = *node.set;
      const Byte before = at == subject_ ? 0 : Byte(at[-1]), here = at == subject_end_ ? 0 : Byte(*at);
      return !set.has(before) && set.has(here);
    }
    case Node::k_at_end:
      return at == subject_end_;
    case Node::k_mistake:
      raise_mistake(L, node);
    default:
      return step_bytes(L, index, at);
  }
}

bool Pattern::step_bytes(lua_State* L, int index, const char*& at) {
  Node& node = nodes_[index];
  const bool matches = at != subject_end_ && one(node, at);
  switch (node.repeat) {
    case Node::k_once:
      at += matches;
      return matches;
    case Node::k_greedy_one:
      if (!matches) return false;
      [[fallthrough]];
    case Node::k_greedy:
      node.low = at + (node.repeat == Node::k_greedy_one);
      node.at = matches ? run_of(node, at + 1) : at;
      State::of(L).charge(L, node.kind == Node::k_any ? 1 : node.at - at);
      break;
    case Node::k_optional:
      node.low = at;
      node.at = at + matches;
      break;
    case Node::k_lazy:
      node.low = node.at = at;
      break;
  }
  at = node.at;
  if (node.repeat != Node::k_lazy && node.at == node.low) return true;  // nothing to choose
  node.before = choice_;
  choice_ = index;
  return true;
}

// Takes the next possibility of the nearest choice: `index` and `at` are where to go on. False when there is none.
bool Pattern::back(int& index, const char*& at) {
  for (; choice_ >= 0; choice_ = nodes_[choice_].before) {
    Node& node = nodes_[choice_];
    if (node.repeat == Node::k_lazy) {
      if (node.at == subject_end_ || !one(node, node.at)) continue;
      ++node.at;
    } else {
      if (node.at == node.low) continue;
      --node.at;
    }
    at = node.at;
    index = choice_ + 1;
    return true;
  }
  return false;
}

const char* Pattern::match(lua_State* L, const char* begin, const char* end, const char* from) {
  State& state = State::of(L);
  subject_ = begin;
  subject_end_ = end;
  choice_ = -1;
  const char* at = from;
  int index = 0;
  for (;;) {
    state.charge(L, 1);
    if (nodes_[index].kind == Node::k_end) return at;
    if (step(L, index, at)) {
      ++index;
    } else if (!back(index, at)) {
      return nullptr;
    }
  }
}

// The first place from `at` on where the node, which is a text or matches at least one byte, may begin; `end` if there
// is none.
static const char* first_place(const Node& node, const char* at, const char* end) {
  if (node.kind == Node::k_text) {
    const void* found = std::memchr(at, node.text[0], size_t(end - at));
    return found == nullptr ? end : static_cast<const char*>(found);
  }
  while (at != end && !node.set->has(Byte(*at))) ++at;
  return at;
}

const char* Pattern::search(lua_State* L, const char* begin, const char* end, const char* from,
                            const char*& end_of_match) {
  const Node& lead = nodes_[nodes_[0].kind == Node::k_open ? 1 : 0];
  const bool is_set = lead.kind == Node::k_set && (lead.repeat == Node::k_once || lead.repeat == Node::k_greedy_one);
  for (;; ++from) {
    if (is_set || lead.kind == Node::k_text) {
      const char* const place = first_place(lead, from, end);
      State::of(L).charge(L, (place - from) / 8);
      if (place == end) return nullptr;
      from = place;
    }
    end_of_match = match(L, begin, end, from);
    if (end_of_match != nullptr) return from;
    if (from == end) return nullptr;
  }
}

void Pattern::push_capture(lua_State* L, int number, const char* match_begin, const char* match_end) const {
  if (number >= capture_count_) {
    if (number != 0) luaL_error(L, "invalid capture index %%%d", number + 1);
    lua_pushlstring(L, match_begin, size_t(match_end - match_begin));
    return;
  }
  const Capture& capture = captures_[number];
  if (capture.is_position) {
    lua_pushinteger(L, capture.begin - subject_ + 1);
  } else if (capture.end == nullptr) {
    luaL_error(L, "unfinished capture");
  } else {
    lua_pushlstring(L, capture.begin, size_t(capture.end - capture.begin));
  }
}

int Pattern::push_captures(lua_State* L, const char* match_begin, const char* match_end, bool whole) const {
  const int count = capture_count_ == 0 && whole ? 1 : capture_count_;
  luaL_checkstack(L, count, "too many captures");
  for (int i = 0; i < count; ++i) push_capture(L, i, match_begin, match_end);
  return count;
}

}  // namespace perilune::lua
