// A function of the script that the runtime calls by itself, with JSON texts: to merge two values, to bring one to another
// version. No task runs then, so it is plain Lua and can't await.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/lua/script.hpp"

namespace perilune::api {

class PlainFunction {
 public:
  // Takes over the registry reference.
  PlainFunction(lua::LuaScript& script, int ref) : script_(script), ref_(ref) {}
  PlainFunction(const PlainFunction&) = delete;
  ~PlainFunction();
  // The arguments as JSON texts, null for nil. What it returns as JSON text, empty for nil; `what` begins the message when
  // that can't be saved. Errors: what it raises, "validation".
  Result<std::string> call(const std::vector<const std::string*>& arguments, const std::string& what) const;

 private:
  lua::LuaScript& script_;
  int ref_;
};

}  // namespace perilune::api
