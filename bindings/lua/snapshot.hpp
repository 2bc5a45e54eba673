// What the iterations of a loop can change, as a text, and back: the graph of objects that its code reaches, both as it is
// now and as it was numbered when the loop began. Objects of that time are put back in place, so that whoever else holds
// them sees the same; what iterations have made is made again; cells (captured variables) are joined by identity.
//
//   [format, objects and cells at the start, tostring ids given, codes, cells, objects, ids, API tables, roots]
//   value:   null, true, 1, 2.5, "text", or a list: [n] object n, [0] json.null, ["name"(, "field")] of the API, ["=", "inf"]
//   object:  table {"a": items 1..n, "h": key, value, ..., "m": metatable}; new function [code, cell, ...]; else null
//
// The text says nothing of the runtime's guards; tags of JSON arrays and objects and of errors are kept as ["=", "array"].
// A Snapshot lives in a place that survives a raise; its members may raise memory errors. Uses object_graph, prototypes.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bindings/lua/object_graph.hpp"
#include "bindings/lua/script.hpp"
#include "bindings/lua/tape.hpp"

namespace perilune::lua {

class Snapshot {
 public:
  explicit Snapshot(LuaScript& script) : script_(script) {}

  // Stack indices are absolute. `table`: an empty table, then number -> object of the start, for the loop's life.
  // `roots`: a list of values, the first of which is the loop's body. `items`: another list, or 0.
  void number_start(lua_State* L, int table, int roots, int items);

  // Writes text(). False: trouble() says which variable can't be saved and why.
  bool save(lua_State* L, int table, int roots);

  // Puts everything back and fills `roots` from 2 on. False: the text is not of this loop; trouble() says why.
  bool restore(lua_State* L, int table, int roots, std::string_view text);

  const std::string& text() const { return text_; }
  const std::string& trouble() const { return trouble_; }

 private:
  using Token = Tape::Token;
  bool fail(const char* why) noexcept;

  // ---- saving (snapshot_save.cpp)
  void begin_save() noexcept;
  bool write_object(lua_State* L, uint32_t number);
  void write_table(lua_State* L, uint32_t number);
  bool write_function(lua_State* L, uint32_t number);
  void write_metatable(lua_State* L, uint32_t number);
  void write_ids(lua_State* L, int objects);
  void write_api_tables(lua_State* L);
  void write_value(lua_State* L) noexcept;
  void write_pair(const char* first, const char* second) noexcept;
  void write_number(uint64_t number) noexcept { text_ += std::to_string(number); }
  void put(const char* text) noexcept { text_ += text; }
  uint32_t code_number(const Prototypes::Id& id) noexcept;
  bool finish_save() noexcept;

  // ---- restoring (snapshot_restore.cpp)
  bool begin_restore(std::string_view text) noexcept;
  const Token* open(Tape::Kind kind) noexcept;   // the next token when it is of this kind, else null
  void skip() noexcept;
  bool read_codes() noexcept;
  bool make_objects(lua_State* L, int objects);
  bool make_function(lua_State* L, int objects, uint32_t number);
  bool set_cells(lua_State* L, int objects);
  bool fill_objects(lua_State* L, int objects);
  bool fill_table(lua_State* L, int objects, uint32_t number);
  bool set_metatable(lua_State* L, int objects, uint32_t number);
  bool set_ids(lua_State* L, int objects);
  bool set_api_tables(lua_State* L, int objects);
  bool push_value(lua_State* L, int objects);
  bool push_named(lua_State* L, uint32_t parts);
  void push_text(lua_State* L, const Token& token);
  std::string_view text_of(const Token& token) const noexcept { return {tape_.text.data() + token.offset, token.size}; }

  LuaScript& script_;
  ObjectGraph start_;
  ObjectGraph now_;
  std::string text_;
  std::string trouble_;

  std::vector<std::pair<const std::string*, size_t>> codes_;   // chunk, function in it: while saving
  std::string objects_text_;
  bool too_large_ = false;

  Tape tape_;
  size_t at_ = 0;                                              // of tape_.tokens
  size_t cells_at_ = 0, objects_at_ = 0;                       // their lists
  std::vector<std::pair<std::string, size_t>> named_codes_;
  std::vector<ObjectGraph::Cell> holders_;                     // of all cells; holder 0: none yet
};

// A new table with the objects of `table` under 1..count.
void push_copy_of_list(lua_State* L, int table, uint32_t count);

}  // namespace perilune::lua
