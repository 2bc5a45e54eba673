// Lookup of script modules; see modules.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/modules.hpp"

#include "runtime/effects/file.hpp"

namespace perilune::engine {

namespace {
constexpr int64_t k_module_bytes_max = 4 << 20;

bool is_module_name(const std::string& name) {
  bool part = false;   // inside a part that has a character already
  for (char c : name) {
    if (c == '.') {
      if (!part) return false;
      part = false;
    } else if (isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-') {
      part = true;
    } else {
      return false;
    }
  }
  return part;
}
}  // namespace

Result<std::string> read_module(const std::string& directory, const std::string& name) {
  if (!is_module_name(name))
    return Error(code::k_usage, "'" + name + "' is no module name: letters, digits, '_' and '-' between dots, as in 'lib.tax'");
  std::string stem = directory.empty() ? "" : directory + "/";
  for (char c : name) stem += c == '.' ? '/' : c;
  for (const std::string& path : {stem + ".lua", stem + "/init.lua"}) {
    Result<std::string> text = effects::read_file(path, k_module_bytes_max);
    if (text.ok() || text.error().code != code::k_not_found) return text;
  }
  return Error(code::k_not_found, "module '" + name + "' not found: no file " + stem + ".lua or " + stem + "/init.lua, and no module of the stdlib");
}

Result<std::string> module_text(const std::map<std::string, std::string>& builtin, const std::string& directory,
                                const std::string& name) {
  auto found = builtin.find(name);
  return found != builtin.end() ? Result<std::string>(found->second) : read_module(directory, name);
}

}  // namespace perilune::engine
