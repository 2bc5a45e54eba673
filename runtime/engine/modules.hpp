// What `require` finds: modules of the stdlib, and files beside the script: "lib.tax" is lib/tax.lua or lib/tax/init.lua below its directory.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "runtime/base/result.hpp"

namespace perilune::engine {

// Errors: "not_found" (names the files that were looked for), "usage" (a name that is no module name: letters, digits,
// "_" and "-" between dots), "limit" (over 4 MiB).
Result<std::string> read_module(const std::string& directory, const std::string& name);

// Of the stdlib (`builtin`) if it is there, else read_module.
Result<std::string> module_text(const std::map<std::string, std::string>& builtin, const std::string& directory,
                                const std::string& name);

}  // namespace perilune::engine
