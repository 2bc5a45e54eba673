// See config.hpp. One table says of each setting what it is called, what it is by default and how its text is taken.
// SPDX-License-Identifier: MIT
#include "bindings/cli/config.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bindings/cli/json_position.hpp"
#include "runtime/base/nearest.hpp"
#include "runtime/base/units.hpp"
#include "runtime/effects/file.hpp"

namespace perilune::cli {
namespace {

using nlohmann::ordered_json;

constexpr int64_t k_config_bytes_max = 4 << 20;
constexpr int64_t k_attempts_max = 1'000'000;

using Take = Result<void> (*)(Config& config, const std::string& text);

struct SettingRow {
  std::string_view section, key;
  const char* variable;  // of the environment
  const char* fallback;  // the default, as one would write it
  Take take;
  bool list = false;     // the file may give a list of texts
};

Error wrong(const std::string& what) { return Error(code::k_usage, what); }

Result<void> take_duration(int64_t& to, const std::string& text) {
  Result<int64_t> us = parse_duration_us(text);
  if (!us.ok()) return us.error();
  to = *us;
  return {};
}

Result<void> take_size(size_t& to, const std::string& text) {
  Result<int64_t> bytes = parse_size_bytes(text);
  if (!bytes.ok()) return bytes.error();
  if (*bytes == 0) return wrong("a limit of 0 bytes leaves no room for anything");
  to = static_cast<size_t>(*bytes);
  return {};
}

Result<void> take_url(Config& config, const std::string& text) {
  config.store_url = text;
  return {};
}

Result<void> take_durability(Config& config, const std::string& text) {
  constexpr std::string_view k_valid[] = {"full", "relaxed"};
  if (text != "full" && text != "relaxed") return wrong(unknown_name("value", text, "store.durability", k_valid));
  config.relaxed = text == "relaxed";
  return {};
}

Result<void> take_attempts(Config& config, const std::string& text) {
  char* end = nullptr;
  int64_t attempts = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || attempts < 1 || attempts > k_attempts_max)
    return wrong("'" + text + "' is no number of attempts: a whole number from 1");
  config.engine.retry.attempts = static_cast<int>(attempts);
  return {};
}

// A list as JSON, or paths with a colon between them, as in PATH.
Result<void> take_hook_files(Config& config, const std::string& text) {
  config.hook_files.clear();
  if (text.starts_with("[")) {
    ordered_json list = ordered_json::parse(text, nullptr, false);
    for (const auto& path : list) {
      if (!path.is_string() || path.get<std::string>().empty()) return wrong("a list of paths such as [\"hooks/limits.lua\"]");
      config.hook_files.push_back(path.get<std::string>());
    }
    return {};
  }
  for (size_t at = 0; at < text.size();) {
    size_t colon = std::min(text.find(':', at), text.size());
    if (colon > at) config.hook_files.push_back(text.substr(at, colon - at));
    at = colon + 1;
  }
  return {};
}

constexpr SettingRow k_settings[] = {
    {"store", "url", "PERILUNE_STORE", "", take_url},
    {"store", "durability", "PERILUNE_STORE_DURABILITY", "full", take_durability},
    {"workflow", "max_retry_attempts", "PERILUNE_WORKFLOW_MAX_RETRY_ATTEMPTS", "3", take_attempts},
    {"workflow", "timeout_seconds", "PERILUNE_WORKFLOW_TIMEOUT_SECONDS", "3600",
     [](Config& config, const std::string& text) { return take_duration(config.engine.timeout_us, text); }},
    {"limits", "cpu", "PERILUNE_LIMITS_CPU", "10s",
     [](Config& config, const std::string& text) { return take_duration(config.engine.cpu_us, text); }},
    {"limits", "memory", "PERILUNE_LIMITS_MEMORY", "256MiB",
     [](Config& config, const std::string& text) { return take_size(config.engine.memory_bytes, text); }},
    {"limits", "payload", "PERILUNE_LIMITS_PAYLOAD", "64MiB",
     [](Config& config, const std::string& text) { return take_size(config.engine.payload_bytes, text); }},
    {"limits", "evict_after", "PERILUNE_LIMITS_EVICT_AFTER", "5s",
     [](Config& config, const std::string& text) { return take_duration(config.engine.evict_after_us, text); }},
    {"hooks", "files", "PERILUNE_HOOKS_FILES", "", take_hook_files, true},
    {"hooks", "timeout", "PERILUNE_HOOKS_TIMEOUT", "10s",
     [](Config& config, const std::string& text) { return take_duration(config.engine.hook_timeout_us, text); }},
};

// Of the crash test's switch (crash_point.hpp) and of the project's own scripts and tests, which start this program
// with what they were given themselves.
constexpr std::string_view k_other_variables[] = {"PERILUNE_CRASH_AT",  "PERILUNE_BINARY", "PERILUNE_SEED",
                                                  "PERILUNE_SIM_SEEDS", "PERILUNE_SIZE",   "PERILUNE_SUITE_TIMEOUT"};

std::string full_name(const SettingRow& row) { return std::string(row.section) + "." + std::string(row.key); }

Result<void> set(Config& config, const SettingRow& row, const std::string& text, const std::string& source) {
  Result<void> taken = row.take(config, text);
  if (!taken.ok()) return wrong(source + ": " + full_name(row) + ": " + taken.error().message);
  for (Setting& setting : config.settings)
    if (setting.name == full_name(row)) setting.value = text, setting.source = source;
  return {};
}

std::vector<std::string_view> sections() {
  std::vector<std::string_view> names;
  for (const SettingRow& row : k_settings)
    if (names.empty() || names.back() != row.section) names.push_back(row.section);
  return names;
}

Result<void> read_section(Config& config, const std::string& section, const ordered_json& content) {
  if (!content.is_object()) return wrong(config.file + ": '" + section + "' is not an object of settings");
  for (const auto& [key, value] : content.items()) {
    const SettingRow* found = nullptr;
    std::vector<std::string_view> keys;
    for (const SettingRow& row : k_settings) {
      if (row.section != section) continue;
      keys.push_back(row.key);
      if (row.key == key) found = &row;
    }
    if (found == nullptr) return wrong(config.file + ": " + unknown_name("key", key, "'" + section + "'", keys));
    if (!value.is_string() && !value.is_number() && !(found->list && value.is_array()))
      return wrong(config.file + ": " + full_name(*found) + " is neither a text nor a number" + (found->list ? " nor a list of texts" : ""));
    Result<void> taken = set(config, *found, value.is_string() ? value.get<std::string>() : value.dump(), config.file);
    if (!taken.ok()) return taken;
  }
  return {};
}

Result<void> read_config_file(Config& config) {
  Result<std::string> text = effects::read_file(config.file, k_config_bytes_max);
  if (!text.ok()) return wrong(text.error().message);
  if (Result<void> valid = check_json(*text); !valid.ok()) return wrong(config.file + ": " + valid.error().message);
  ordered_json content = ordered_json::parse(*text, nullptr, false);
  if (!content.is_object()) return wrong(config.file + ": not a JSON object of sections");
  for (const auto& [section, settings] : content.items()) {
    if (section == "$schema") continue;
    std::vector<std::string_view> names = sections();
    if (std::find(names.begin(), names.end(), section) == names.end())
      return wrong(config.file + ": " + unknown_name("section", section, "", names));
    Result<void> read = read_section(config, section, settings);
    if (!read.ok()) return read;
  }
  return {};
}

// A setting that is misspelt would silently be left at its default.
Result<void> check_names(const Environment& environment) {
  std::vector<std::string_view> settings;
  for (const SettingRow& row : k_settings) settings.push_back(row.variable);
  for (const auto& [name, value] : environment) {
    if (std::find(settings.begin(), settings.end(), name) != settings.end()) continue;
    if (std::find(std::begin(k_other_variables), std::end(k_other_variables), name) != std::end(k_other_variables))
      continue;
    return wrong(unknown_name("variable", name, "the environment", settings));
  }
  return {};
}

}  // namespace

Environment process_environment() {
  Environment found;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    std::string_view variable = *at;
    size_t equals = variable.find('=');
    if (!variable.starts_with("PERILUNE_") || equals == variable.npos || equals + 1 == variable.size()) continue;
    found.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return found;
}

Result<Config> load_config(const std::string& cwd, const std::string& store, const Environment& environment) {
  Config config;
  for (const SettingRow& row : k_settings) {
    config.settings.push_back({full_name(row), row.fallback, "default"});
    if (*row.fallback == '\0') continue;
    if (Result<void> taken = row.take(config, row.fallback); !taken.ok()) return taken.error();
  }
  config.store_base = config.hooks_base = cwd;
  std::string directory = nearest_with(cwd, "perilune.json");
  if (!directory.empty()) {
    config.file = directory == "/" ? "/perilune.json" : directory + "/perilune.json";
    if (Result<void> read = read_config_file(config); !read.ok()) return read.error();
    if (!config.store_url.empty()) config.store_base = directory;
    config.hooks_base = directory;
  }
  if (Result<void> known = check_names(environment); !known.ok()) return known.error();
  for (const SettingRow& row : k_settings) {
    auto found = environment.find(row.variable);
    if (found == environment.end()) continue;
    if (Result<void> taken = set(config, row, found->second, row.variable); !taken.ok()) return taken.error();
    if (row.section == "store" && row.key == "url") config.store_base = cwd;
    if (row.section == "hooks" && row.key == "files") config.hooks_base = cwd;
  }
  if (!store.empty()) {
    if (Result<void> taken = set(config, k_settings[0], store, "--store"); !taken.ok()) return taken.error();
    config.store_base = cwd;
  }
  return config;
}

}  // namespace perilune::cli
