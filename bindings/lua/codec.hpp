// Lua values <-> JSON text. One codec for everything that is journaled, sent or shown.
//  - integers stay integers, floats floats (2.0 is written "2.0"), doubles in their shortest form that reads back;
//  - a table with the keys 1..n only is an array, one with string keys an object, written with sorted keys; {} is an
//    object unless tagged by json.array; holes, mixed keys, other keys, NaN, infinity, cycles, functions, coroutines,
//    userdata, nesting over limits().depth and texts over limits().payload_bytes are errors that give the path
//    ("result.items[3]: a function can't be saved");
//  - strings that are not UTF-8 are written {"$bytes":"<base64>"}; a user's own table with the single key "$bytes" (or
//    "$$bytes", ...) gets one "$" more and loses it again;
//  - null is json.null (a light userdata); nil fields are absent; arrays and objects that are read are tagged (by
//    metatable), so [] and {} round-trip.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "bindings/lua/state.hpp"

namespace perilune::lua {

// Appends the JSON text of the value at `index` to `out`. Never raises and runs no metamethods; the stack is left as it
// was. `what` begins the path in messages. Error code "validation" (or "limit" for the payload size).
// When `raw` is true (json.encode of scripts), a string that is not UTF-8 is an error that gives the offset, and
// "$bytes" keys are written as they are. A text over `bytes_max` is an error too, found before much of it is written.
Result<void> encode(lua_State* L, int index, std::string& out, std::string_view what, bool raw = false,
                    size_t bytes_max = SIZE_MAX);

// Parses `text` into `tape`; never raises. Error code "validation" with line and column. Numbers beyond int64 become
// floats. Depth limit 256. When `raw` is true, "$bytes" objects are not turned into strings (json.decode of scripts).
Result<void> parse(std::string_view text, Tape& tape, bool raw = false);
// Pushes the value that the tape holds. May raise a memory error, nothing else. Needs lua_checkstack by itself.
void push_tape(lua_State* L, const Tape& tape);

// parse + push with State::tape(), for texts that the runtime wrote itself: a text that does not parse is pushed as nil
// and reported as internal error through kill().
void push_json(lua_State* L, std::string_view text);

// json.null and the two tags.
void push_null(lua_State* L);
bool is_null(lua_State* L, int index);
void tag_array(lua_State* L, int index);   // sets the array metatable on the table at index
void tag_object(lua_State* L, int index);

}  // namespace perilune::lua
