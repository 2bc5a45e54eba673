// The objects that the code of a loop can reach, numbered in an order that every process repeats.
//
// Roots, in this order: the script's globals, its loaded modules, the tables of the API that scripts may change (`input`),
// and the values that the caller names. Reached are the contents of tables, their metatables, and the variables that
// functions have captured (cells, by identity). Values of the API have names in place of numbers; its metatables and
// read-only tables are not looked into. Keys that are objects are met once all else is; when nothing else tells two of
// them apart the numbering is not repeatable, and that is trouble.
//
// The graph holds identities only. The objects themselves stand in a Lua table that the caller gives (number -> object), so
// that none of them goes while its number counts.
// Everything that touches Lua here may raise (memory) and holds nothing with a destructor; a Graph lives in a place that
// survives a raise. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/lua/state_hidden.hpp"

namespace perilune::lua {

class ObjectGraph {
 public:
  enum class Kind : uint8_t { table, function, closed };   // closed: not looked into
  struct Object {
    Kind kind;
    uint32_t label;        // of labels(): the variable through which it was reached first
  };
  struct Cell {
    uint32_t holder;       // a function that has it,
    int upvalue;           //   and as its which upvalue, from 1
    uint32_t label;
  };
  struct ApiName {
    const char* name;
    const char* field;     // or null
  };

  const std::vector<Object>& objects() const { return objects_; }
  const std::vector<Cell>& cells() const { return cells_; }
  // 0: no such number.
  uint32_t number_of(const void* identity) const noexcept;
  uint32_t cell_of(const void* id) const noexcept;
  const ApiName* api_name(const void* identity) const noexcept;
  const std::string& label(uint32_t label) const { return labels_[label]; }
  // Why the graph can't be saved ("variable 'h': a coroutine"), or empty.
  const std::string& trouble() const { return trouble_; }
  void set_trouble(uint32_t label, const char* what) noexcept;
  // The trouble is with the numbers themselves: another process would give others.
  bool repeatable() const { return repeatable_; }

  // Numbers everything that can be reached now. What stands in `table` already (with its numbers in `known`) keeps its
  // number. Stack: `table` and `roots` (a list of values; `items` another one, or 0) are absolute indices.
  void number(lua_State* L, int table, int roots, int items, const ObjectGraph* known);

 private:
  void set_unrepeatable(uint32_t label, const char* what) noexcept;
  void begin(const ObjectGraph* known) noexcept;
  void learn_api(lua_State* L);
  void learn_fields(lua_State* L, const char* name);
  void learn(const void* identity, const char* name, const char* field) noexcept { api_[identity] = {name, field}; }
  void see_api_tables(lua_State* L, int table);
  void see_list(lua_State* L, int table, int list, uint32_t label);
  void see(lua_State* L, int table, uint32_t label);
  void look_into_table(lua_State* L, int table, uint32_t number);
  void look_into_function(lua_State* L, int table, uint32_t number);
  bool look_into_object_keys(lua_State* L, int table, size_t place);
  bool look_further(lua_State* L, int table);
  bool is_ours(lua_State* L, const void* metatable) const;
  void add(const void* identity, Kind kind, uint32_t label) noexcept;
  bool add_cell(const void* id, uint32_t holder, int upvalue, uint32_t label) noexcept;
  uint32_t add_label(const char* text) noexcept;
  void add_key(const OrderedKey& key) noexcept { keys_.push_back(key); }
  void sort_keys() noexcept;
  void sort_names() noexcept;
  void add_name(const char* name) noexcept { names_.push_back(name); }
  void defer(uint32_t number) noexcept { with_object_keys_.push_back(number); }

  std::vector<Object> objects_;
  std::unordered_map<const void*, uint32_t> numbers_;
  std::vector<Cell> cells_;
  std::unordered_map<const void*, uint32_t> cell_numbers_;
  std::unordered_map<const void*, ApiName> api_;
  std::vector<std::string> labels_;
  std::string trouble_;
  const void* globals_ = nullptr;
  const void* modules_ = nullptr;
  bool first_ = true;                      // nothing is known yet: the numbers must be those of another process
  bool repeatable_ = true;
  std::vector<uint32_t> with_object_keys_; // tables whose keys that are objects have not all been met
  std::vector<OrderedKey> keys_;           // of the table that is looked into
  std::vector<const char*> names_;
};

}  // namespace perilune::lua
