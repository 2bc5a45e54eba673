// Finding and making functions by the name of their code; see prototypes.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/prototypes.hpp"

#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/script.hpp"

namespace perilune::lua {
namespace {

int append(lua_State*, const void* bytes, size_t size, void* out) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return 0;
}

}  // namespace

const Bytecode* Prototypes::chunk(std::string_view name) {
  auto known = chunks_.find(name);
  if (known != chunks_.end()) return known->second.get();
  std::unique_ptr<Bytecode>& chunk = chunks_[std::string(name)];
  if (name == script_.code().chunk_name) {
    chunk = std::make_unique<Bytecode>(script_.code().bytecode);
  } else if (name.starts_with('@')) {   // a module, which require has found before
    Result<Module> module = script_.find_module(std::string(name.substr(1)));
    if (!module.ok()) return nullptr;
    Result<std::string> bytecode = compile_text(module->source, module->chunk_name.c_str());
    if (bytecode.ok()) chunk = std::make_unique<Bytecode>(std::move(*bytecode));
  }
  return chunk.get();
}

// True for the script's own chunk and those that require has loaded; another one may have any name.
bool Prototypes::is_loaded(lua_State* L, std::string_view name) const {
  if (name == script_.code().chunk_name) return true;
  if (!name.starts_with('@')) return false;
  int top = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, modules_key());
  bool loaded = false;
  for (lua_pushnil(L); !loaded && lua_next(L, top + 1) != 0; lua_settop(L, top + 2))
    loaded = lua_type(L, top + 2) == LUA_TSTRING && name.substr(1) == lua_tostring(L, top + 2);
  lua_settop(L, top);
  return loaded;
}

bool Prototypes::find(lua_State* L, Id& id) noexcept {
  lua_Debug debug;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">S", &debug);
  if (chunks_.count(std::string_view(debug.source, debug.srclen)) == 0 && !is_loaded(L, {debug.source, debug.srclen}))
    return false;
  const Bytecode* code = chunk({debug.source, debug.srclen});
  if (code == nullptr) return false;
  dump_.clear();
  if (lua_dump(L, append, &dump_, 0) != 0) return false;
  id.function = code->find(dump_);
  id.chunk = &chunks_.find(std::string_view(debug.source, debug.srclen))->first;
  return id.function < code->functions();
}

bool Prototypes::push(lua_State* L, std::string_view name, size_t function) noexcept {
  const Bytecode* code = chunk(name);
  if (code == nullptr || function >= code->functions()) return false;
  return load_bytecode(L, code->function(function), std::string(name).c_str()).ok();
}

}  // namespace perilune::lua
