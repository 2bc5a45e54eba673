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

constexpr std::string_view k_module = "require ";   // before the name of a module; the script is called by its chunk

}  // namespace

const Bytecode* Prototypes::chunk(std::string_view name) {
  auto known = chunks_.find(name);
  if (known != chunks_.end()) return known->second.get();
  std::unique_ptr<Bytecode>& chunk = chunks_[std::string(name)];
  if (name == script_.code().chunk_name) {
    chunk = std::make_unique<Bytecode>(script_.code().bytecode);
  } else if (name.starts_with(k_module)) {
    Result<Module> module = script_.find_module(std::string(name.substr(k_module.size())));
    if (!module.ok()) return nullptr;
    Result<std::string> bytecode = compile_text(module->source, module->chunk_name.c_str());
    if (bytecode.ok()) chunk = std::make_unique<Bytecode>(std::move(*bytecode));
  }
  return chunk.get();
}

// The name of the chunk with this source: the script's own, or a module that require has loaded, since another chunk may
// say that it comes from anywhere. Null: neither.
const std::string* Prototypes::name_of(lua_State* L, std::string_view source) {
  auto known = names_.find(source);
  if (known != names_.end()) return &known->second;
  if (source == script_.code().chunk_name) return &(names_[std::string(source)] = source);
  int top = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, modules_key());
  const std::string* name = nullptr;
  for (lua_pushnil(L); name == nullptr && lua_next(L, top + 1) != 0; lua_settop(L, top + 2)) {
    if (lua_type(L, top + 2) != LUA_TSTRING || module_chunk_name(lua_tostring(L, top + 2)) != source) continue;
    name = &(names_[std::string(source)] = std::string(k_module) + lua_tostring(L, top + 2));
  }
  lua_settop(L, top);
  return name;
}

bool Prototypes::find(lua_State* L, Id& id) noexcept {
  lua_Debug debug;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">S", &debug);
  id.chunk = name_of(L, {debug.source, debug.srclen});
  const Bytecode* code = id.chunk == nullptr ? nullptr : chunk(*id.chunk);
  if (code == nullptr) return false;
  dump_.clear();
  if (lua_dump(L, append, &dump_, 0) != 0) return false;
  id.function = code->find(dump_);
  return id.function < code->functions();
}

bool Prototypes::push(lua_State* L, std::string_view name, size_t function) noexcept {
  const Bytecode* code = chunk(name);
  if (code == nullptr || function >= code->functions()) return false;
  std::string source = name.starts_with(k_module) ? module_chunk_name(std::string(name.substr(k_module.size()))) : std::string(name);
  return load_bytecode(L, code->function(function), source.c_str()).ok();
}

}  // namespace perilune::lua
