// perilune rules: the business rules that a workflow script names before its first durable call.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>

#include "bindings/api/api.hpp"
#include "bindings/cli/config.hpp"
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/json_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/lua/host.hpp"
#include "runtime/effects/file.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "runtime/store/memory_store.hpp"

namespace perilune::cli {
namespace {

constexpr int64_t k_script_bytes_max = 16 << 20;

// As `run` would see the file; nothing of it is run.
Result<std::vector<engine::Definition>> definitions_of(const RulesOptions& options) {
  Result<std::string> text = effects::read_file(options.file, k_script_bytes_max);
  if (!text.ok()) return Error(code::k_script, text.error().message);
  std::error_code failed;
  std::filesystem::path cwd = std::filesystem::current_path(failed);
  Result<Config> config = load_config(cwd.string(), options.store, process_environment());
  if (!config.ok()) return config.error();
  engine::StartRequest request;
  request.file = options.file;
  request.text = std::move(*text);
  request.directory = std::filesystem::weakly_canonical(cwd / options.file, failed).parent_path().string();
  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  std::unique_ptr<store::Store> store = store::make_memory_store();
  std::unique_ptr<engine::ScriptHost> host = lua::make_lua_host(api::open);
  engine::Engine::Options made;
  made.loop = loop.get();
  made.store = store.get();
  made.host = host.get();
  made.settings = config->engine;
  made.builtin_modules = lua::stdlib_modules();
  engine::Engine engine(std::move(made));
  Result<engine::Engine::Inspection> inspection = engine.inspect(request);
  if (!inspection.ok()) return inspection.error();
  std::vector<engine::Definition> chosen;
  for (engine::Definition& definition : inspection->definitions)
    if (options.workflow.empty() || definition.name == options.workflow) chosen.push_back(std::move(definition));
  if (chosen.empty()) return Error(code::k_not_found, options.file + " defines no workflow '" + options.workflow + "'");
  return chosen;
}

std::string rules_json(const std::vector<engine::Definition>& definitions) {
  JsonText json;
  json.open_array();
  for (const engine::Definition& definition : definitions)
    for (const engine::RuleFacts& rule : definition.rules) {
      json.open_object().key("workflow").text(definition.name).key("rule").text(rule.name).key("on").text(rule.on);
      json.key("step").text_or_null(rule.step).key("message").text(rule.message).close_object();
    }
  return json.close_array().take();
}

void print_rules(const std::vector<engine::Definition>& definitions) {
  int name_width = 4, point_width = 2;
  auto point_of = [](const engine::RuleFacts& rule) { return rule.on + (rule.step.empty() ? "" : " " + rule.step); };
  bool any = false;
  for (const engine::Definition& definition : definitions)
    for (const engine::RuleFacts& rule : definition.rules) {
      any = true;
      name_width = std::max(name_width, columns_of(printable(rule.name)));
      point_width = std::max(point_width, columns_of(printable(point_of(rule))));
    }
  if (!any) return print_err("perilune: no rules\n");
  for (const engine::Definition& definition : definitions) {
    if (definitions.size() > 1 && !definition.rules.empty()) print_out(printable(definition.name) + "\n");
    for (const engine::RuleFacts& rule : definition.rules)
      print_out(padded(printable(rule.name), name_width) + "  " + padded(printable(point_of(rule)), point_width) + "  " +
                printable(rule.message) + "\n");
  }
}

}  // namespace

int verb_rules(const RulesOptions& options) {
  Result<std::vector<engine::Definition>> definitions = definitions_of(options);
  if (!definitions.ok()) return complain(definitions.error(), "perilune rules --help");
  if (options.json) print_json(rules_json(*definitions));
  else print_rules(*definitions);
  return k_exit_ok;
}

}  // namespace perilune::cli
