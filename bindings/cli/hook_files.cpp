// See hook_files.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/hook_files.hpp"

#include <filesystem>

#include "runtime/effects/file.hpp"

namespace perilune::cli {
namespace {

constexpr int64_t k_hook_bytes_max = 4 << 20;

Result<void> load(engine::Engine& engine, const std::string& name, const std::filesystem::path& base, const std::string& cwd) {
  std::filesystem::path path = base / name;
  Result<std::string> text = effects::read_file(path.string(), k_hook_bytes_max);
  if (!text.ok()) return Error(code::k_usage, "hook file " + name + ": " + text.error().message);
  std::error_code failed;
  std::string directory = std::filesystem::weakly_canonical(path, failed).parent_path().string();
  Result<void> added = engine.add_hook_file({name, std::move(*text), std::move(directory), cwd});
  if (!added.ok()) added.error().message = "hook file " + name + ": " + added.error().message;
  return added;
}

}  // namespace

Result<void> load_hook_files(engine::Engine& engine, const Config& config, const std::vector<std::string>& more) {
  std::error_code failed;
  const std::string cwd = std::filesystem::current_path(failed).string();
  for (const std::string& name : config.hook_files)
    if (Result<void> loaded = load(engine, name, config.hooks_base, cwd); !loaded.ok()) return loaded;
  for (const std::string& name : more)
    if (Result<void> loaded = load(engine, name, cwd, cwd); !loaded.ok()) return loaded;
  return {};
}

}  // namespace perilune::cli
