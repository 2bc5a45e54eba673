// The check of what a workflow requires; see requirements.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/requirements.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/effects/process_image.hpp"

namespace perilune::engine {

using nlohmann::json;

namespace {

class Missing {
 public:
  void add(const char* kind, const std::string& name, const std::string& problem) {
    text_ += std::string("\n  ") + kind + " '" + name + "': " + problem;
    list_.push_back({{"kind", kind}, {"name", name}, {"problem", problem}});
  }
  Result<void> result(const std::string& workflow) const {
    if (list_.empty()) return {};
    Error error(code::k_gate, "workflow '" + workflow + "' can't begin: what it requires is missing" + text_);
    error.data = json{{"missing", list_}}.dump(-1, ' ', false, json::error_handler_t::replace);
    return error;
  }

 private:
  std::string text_;
  json list_ = json::array();
};

void check_world(const Requirements& needs, const std::string& cwd, Missing& missing) {
  for (const std::string& name : needs.commands) {
    Result<std::string> found = effects::find_command(name, cwd);
    if (!found.ok()) missing.add("command", name, found.error().message + "; install it, or correct PATH");
  }
  for (const std::string& name : needs.env) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0')
      missing.add("environment variable", name, std::string(value == nullptr ? "not set" : "empty") + "; export " + name + "=...");
  }
  for (const std::string& name : needs.files) {
    std::string path = name.empty() || name[0] == '/' || cwd.empty() ? name : cwd + "/" + name;
    if (access(path.c_str(), R_OK) != 0)
      missing.add("file", name, std::string(std::strerror(errno)) + " (looked for " + path + ")");
  }
}

}  // namespace

Result<void> check_requirements(const Requirements& needs, const std::string& workflow, const std::string& cwd,
                                bool real_world) {
  if (needs.empty()) return {};
  Missing missing;
  if (real_world) check_world(needs, cwd, missing);
  for (const std::string& name : needs.services)
    missing.add("service", name, "this version knows no services, so their health can't be checked; leave it out");
  for (const std::string& name : needs.secrets)
    missing.add("secret", name, "this version knows no secrets, so it can't be checked; leave it out");
  return missing.result(workflow);
}

}  // namespace perilune::engine
