// The search in PATH and the merge of environments, see process_image.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/process_image.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <unordered_map>

#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr std::string_view k_default_path = "/usr/local/bin:/usr/bin:/bin";

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

Result<void> check(const ProcessSpec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty()) return Error(code::k_usage, "a process needs a program to run");
  for (const std::string& argument : spec.argv) {
    if (has_nul(argument)) return Error(code::k_usage, "an argument of " + quoted(spec.argv[0]) + " contains a NUL");
  }
  if (has_nul(spec.cwd)) return Error(code::k_usage, "the working directory contains a NUL: " + quoted(spec.cwd));
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name)) {
      return Error(code::k_usage, "not a name of an environment variable: " + quoted(name));
    }
    if (has_nul(value)) return Error(code::k_usage, "the environment variable " + quoted(name) + " contains a NUL");
  }
  return {};
}

std::vector<std::string> merged_environment(const ProcessSpec& spec) {
  std::unordered_map<std::string_view, std::string_view> given;  // of a name given twice, the last counts
  for (const auto& [name, value] : spec.env) given[name] = value;
  std::vector<std::string> merged;
  if (!spec.clean_env) {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; entry++) {
      const std::string_view text = *entry;
      if (!given.contains(text.substr(0, text.find('=')))) merged.emplace_back(text);
    }
  }
  for (const auto& [name, value] : spec.env) {
    auto found = given.find(name);
    if (found == given.end()) continue;
    merged.push_back(name + "=" + std::string(found->second));
    given.erase(found);
  }
  return merged;
}

std::string_view path_of(const std::vector<std::string>& env) {
  for (const std::string& entry : env) {
    if (entry.starts_with("PATH=")) return std::string_view(entry).substr(5);
  }
  return k_default_path;
}

enum class Found { k_program, k_not_executable, k_nothing };

Found look_at(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return Found::k_nothing;
  return access(path.c_str(), X_OK) == 0 ? Found::k_program : Found::k_not_executable;
}

// As execvp: the first that can be executed; an entry that is empty is the working directory, the child's.
Result<std::string> find_program(const std::string& name, std::string_view path, const std::string& cwd) {
  std::string not_executable;
  while (true) {
    const size_t colon = path.find(':');
    std::string candidate(path.substr(0, colon));
    candidate += candidate.empty() ? "./" : "/";
    candidate += name;
    const bool from_cwd = candidate[0] != '/' && !cwd.empty();
    const Found found = look_at(from_cwd ? cwd + "/" + candidate : candidate);
    if (found == Found::k_program) return candidate;
    if (found == Found::k_not_executable && not_executable.empty()) not_executable = candidate;
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  if (!not_executable.empty()) return Error(code::k_denied, "not executable: " + quoted(not_executable));
  return Error(code::k_not_found, "no such program: " + quoted(name) + " is not in PATH");
}

}  // namespace

Result<ProcessImage> make_process_image(const ProcessSpec& spec) {
  if (auto checked = check(spec); !checked.ok()) return checked.error();
  ProcessImage image;
  image.argv = spec.argv;
  image.cwd = spec.cwd;
  image.env = merged_environment(spec);
  if (spec.argv[0].find('/') != std::string::npos) {
    image.program = spec.argv[0];  // execve itself says what is wrong with it
    return image;
  }
  auto found = find_program(spec.argv[0], path_of(image.env), spec.cwd);
  if (!found.ok()) return found.error();
  image.program = std::move(*found);
  return image;
}

Result<std::string> find_command(const std::string& name, const std::string& cwd) {
  if (name.find('/') == std::string::npos) {
    const char* path = std::getenv("PATH");
    return find_program(name, path == nullptr ? k_default_path : path, cwd);
  }
  const std::string path = name[0] == '/' || cwd.empty() ? name : cwd + "/" + name;
  const Found found = look_at(path);
  if (found == Found::k_program) return path;
  if (found == Found::k_not_executable) return Error(code::k_denied, "not executable: " + quoted(name));
  return Error(code::k_not_found, "no such program: " + quoted(name));
}

}  // namespace perilune::effects
