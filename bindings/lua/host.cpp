// Inspecting files and opening scripts for the engine; see host.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/host.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "bindings/lua/definition.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/script.hpp"
#include "bindings/lua/stdlib_files.hpp"

namespace perilune::lua {

namespace {

using engine::Definition;

std::string stem_of(const std::string& file) {
  size_t slash = file.find_last_of('/');
  std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  size_t dot = name.find_last_of('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

// A file that is only looked at: it may compute and require, and ends at its first durable call.
class InspectedFile final : public ApiSurroundings {
 public:
  InspectedFile(std::string name, engine::ModuleSource& modules, const engine::Settings& settings, SchemaCache& schemas)
      : name_(std::move(name)), modules_(modules), settings_(settings), schemas_(schemas) {}
  double now_s() override { return 0; }
  Random& random() override { return random_; }
  uint64_t next_object_id() override { return ++object_ids_; }
  void log(const char*, std::string_view, std::string_view) override {}
  Result<Module> find_module(const std::string& name) override {
    Result<std::string> text = modules_.find_module(name);
    if (!text.ok()) return text.error();
    return Module{module_chunk_name(name), std::move(*text)};
  }
  const engine::Settings& settings() const override { return settings_; }
  std::string default_name() const override { return name_; }
  Result<std::shared_ptr<const flow::Schema>> schema(const std::string& json, const std::string& what) override {
    return schemas_.get(json, what);
  }
  void declared(Definition definition, bool has_run) override {
    if (!has_run) self_ = definition;
    declared_.push_back(std::move(definition));
  }
  std::vector<Definition>& all_declared() { return declared_; }
  // What the script says of itself, if it is none that returns definitions.
  std::optional<Definition>& self() { return self_; }

 private:
  std::string name_;
  engine::ModuleSource& modules_;
  const engine::Settings& settings_;
  SchemaCache& schemas_;
  Random random_;
  uint64_t object_ids_ = 0;
  std::vector<Definition> declared_;
  std::optional<Definition> self_;
};

int l_open_inspection(lua_State* L) {
  reinterpret_cast<void (*)(lua_State*)>(lua_touserdata(L, 1))(L);
  return 0;
}

int l_with_traceback(lua_State* L) {
  if (lua_type(L, 1) == LUA_TSTRING || is_error_object(L, 1)) {
    Error error = error_from_value(L, 1, code::k_script);
    if (error.traceback.empty()) error.traceback = traceback_of(L);
    push_error(L, error);
  }
  return 1;
}

class LuaHost final : public engine::ScriptHost {
 public:
  explicit LuaHost(void (*open_api)(lua_State*)) : open_api_(open_api) {}

  Result<std::vector<Definition>> inspect(const std::string& entry, const std::string& text,
                                          engine::ModuleSource& modules, const engine::Settings& settings) override {
    InspectedFile file(stem_of(entry), modules, settings, schemas_);
    StateLimits limits;
    limits.memory_bytes = settings.memory_bytes;
    limits.cpu_us = settings.cpu_us;
    Result<std::unique_ptr<State>> state = State::create(limits, file);
    if (!state.ok()) return state.error();
    lua_State* L = (*state)->main();
    lua_pushcfunction(L, l_open_inspection);
    lua_pushlightuserdata(L, reinterpret_cast<void*>(open_api_));
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) return error_from_value(L, -1, code::k_memory);
    lua_pushcfunction(L, l_with_traceback);
    std::string chunk_name = "@" + entry;
    Result<void> loaded = load_text(L, text, chunk_name.c_str());
    if (!loaded.ok()) return loaded.error();
    (*state)->watch(L);
    (*state)->begin_slice();
    int status = lua_pcall(L, 0, 1, -2);
    bool reached_call = (*state)->killed() && (*state)->kill_error().code == "inspected";
    if (!reached_call && (*state)->killed()) return (*state)->kill_error();
    if (!reached_call && status == LUA_ERRMEM) return Error(code::k_memory, "not enough memory to look at " + entry);
    if (!reached_call && status != LUA_OK) return error_from_value(L, -1, code::k_script);
    std::vector<std::string> names;
    if (!reached_call) names = defined_names(L, -1);
    return collect(names, file);
  }

  Result<std::unique_ptr<engine::Script>> open(engine::BundleRef bundle, const std::string& workflow,
                                               engine::RunContext& context) override {
    std::shared_ptr<const CompiledBundle>& code = compiled_[bundle->hash];
    if (code == nullptr) {
      auto fresh = std::make_shared<CompiledBundle>();
      fresh->chunk_name = "@" + bundle->entry;
      Result<std::string> bytecode = compile_text(bundle->text, fresh->chunk_name.c_str());
      if (!bytecode.ok()) return bytecode.error();
      fresh->bytecode = std::move(*bytecode);
      code = fresh;
    }
    auto script = std::make_unique<LuaScript>(code, workflow, schemas_, context);
    Result<void> opened = script->open(open_api_);
    if (!opened.ok()) return opened.error();
    return std::unique_ptr<engine::Script>(std::move(script));
  }

 private:
  // A file with definitions gives those that it returned; any other file is one workflow, with what it declared.
  static Result<std::vector<Definition>> collect(const std::vector<std::string>& names, InspectedFile& file) {
    std::vector<Definition> definitions;
    for (const std::string& name : names)
      for (Definition& declared : file.all_declared())
        if (declared.name == name) definitions.push_back(std::move(declared));
    for (Definition& definition : definitions) definition.preflight_at_top = false;   // it comes when the file has run
    if (!definitions.empty()) return definitions;
    Definition self;
    self.name = file.default_name();
    if (file.self()) self = std::move(*file.self());
    definitions.push_back(std::move(self));
    return definitions;
  }

  void (*open_api_)(lua_State*);
  SchemaCache schemas_;
  std::unordered_map<std::string, std::shared_ptr<const CompiledBundle>> compiled_;
};

}  // namespace

std::unique_ptr<engine::ScriptHost> make_lua_host(void (*open_api)(lua_State*)) {
  return std::make_unique<LuaHost>(open_api);
}

std::map<std::string, std::string> stdlib_modules() {
  std::map<std::string, std::string> modules;
  for (const StdlibFile& file : stdlib_files()) {  // "perilune/text.lua" is the module "perilune.text"
    std::string name = file.name;
    name.resize(name.size() - std::string_view(".lua").size());
    std::replace(name.begin(), name.end(), '/', '.');
    modules[name] = std::string(file.text);
  }
  return modules;
}

}  // namespace perilune::lua
