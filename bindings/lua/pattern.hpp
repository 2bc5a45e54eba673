// Lua's patterns, matched in bounded steps: without recursion, charging the CPU budget of the state for its work, so
// that a hostile pattern ends with the budget and a long one needs no C stack.
//
// A pattern has no alternatives and no groups that repeat: whatever way a match takes, it passes each item once, in
// order. So the pattern is compiled to a row of nodes, and each node that has a choice keeps its own (how far it
// reached and how far it may go back). Matching walks the row to the right; where it fails it goes back to the nearest
// node on the left with a choice left. Captures, and what is wrong with a pattern, follow from the row alone; a mistake
// is a node too, which raises when it is reached, as in Lua. Promises: results and errors are those of Lua 5.4's string
// library; no limit on quantifiers; all storage is trivial, so that a raise leaks nothing. Uses State for the budget.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "bindings/lua/state.hpp"

namespace perilune::lua {

constexpr int k_captures_max = 32;

struct PatternSet {
  uint64_t words[4];
  bool has(unsigned char c) const { return words[c >> 6] >> (c & 63) & 1; }
};

struct PatternNode {
  enum Kind : uint8_t {
    k_end,
    k_text,  // these bytes
    k_any,   // these three: one byte, so many times as `repeat` says
    k_byte,
    k_set,  // a class too
    k_open,
    k_position,
    k_close,
    k_reference,  // what a capture has matched
    k_balanced,
    k_frontier,
    k_at_end,
    k_mistake,
  };
  enum Mistake : uint8_t {
    k_ends_with_escape,
    k_no_bracket,
    k_no_set,
    k_no_pair,
    k_too_many_captures,
    k_nothing_to_close,
    k_bad_reference
  };
  enum Repeat : uint8_t { k_once, k_optional, k_greedy, k_greedy_one, k_lazy };

  Kind kind;
  Repeat repeat;
  uint8_t value;  // byte, number of the capture, opening byte
  uint8_t other;  // closing byte, or which mistake
  uint32_t size;  // of the text
  union {
    const char* text;
    const PatternSet* set;
  };
  const char* low;  // a choice: the match of this node may be cut down to here,
  const char* at;   // and reaches to here now
  int32_t before;   // the choice on its left
};

struct Capture {
  const char* begin;
  const char* end;  // null: not closed
  bool is_position;
};

// A compiled pattern and its last match. Small patterns live in the caller's frame, others in a userdata of Lua.
class Pattern {
 public:
  // Compiles [text, text + size), which must stay where it is. May push one value, which keeps the storage: the caller
  // leaves it on the stack as long as the pattern is used. Raises for memory and for the budget.
  void compile(lua_State* L, const char* text, size_t size);
  // The same, with all storage in one userdata that is pushed.
  static Pattern* push_compiled(lua_State* L, const char* text, size_t size);

  // Tries at `from` alone. Charges the state; raises for mistakes in the pattern. Null, or the end of the match.
  const char* match(lua_State* L, const char* begin, const char* end, const char* from);
  // The first match at or after `from`: its begin, or null. `end_of_match` is set.
  const char* search(lua_State* L, const char* begin, const char* end, const char* from, const char*& end_of_match);

  int capture_count() const { return capture_count_; }
  // Pushes capture `number` (from 0); number 0 of a pattern without captures is the whole match. Raises.
  void push_capture(lua_State* L, int number, const char* match_begin, const char* match_end) const;
  // Pushes all captures, or the whole match when there are none and `whole`. Their count.
  int push_captures(lua_State* L, const char* match_begin, const char* match_end, bool whole) const;

 private:
  static constexpr int k_small_nodes = 24, k_small_sets = 4;

  static bool one(const PatternNode& node, const char* at);
  const char* run_of(const PatternNode& node, const char* at) const;
  bool step(lua_State* L, int index, const char*& at);
  bool step_bytes(lua_State* L, int index, const char*& at);
  bool back(int& index, const char*& at);

  PatternNode* nodes_;
  const char* subject_;
  const char* subject_end_;
  int32_t choice_;
  int32_t capture_count_;
  Capture captures_[k_captures_max];
  PatternNode small_nodes_[k_small_nodes];
  PatternSet small_sets_[k_small_sets];
};

}  // namespace perilune::lua
