// The code that a run is pinned to: the script and what it requires, stored by SHA-256 of its canonical text.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace perilune::engine {

struct Bundle {
  std::string hash;                            // SHA-256 (hex) of content
  std::string content;                         // canonical JSON text of all below
  std::string entry;                           // the script's file name, for messages
  std::string text;                            // of the script
  std::map<std::string, std::string> modules;  // module name -> text
};

using BundleRef = std::shared_ptr<const Bundle>;

BundleRef make_bundle(std::string entry, std::string text, std::map<std::string, std::string> modules);
// Errors: "damaged" when the content does not have this hash or does not parse.
Result<BundleRef> read_bundle(const std::string& hash, std::string content);

}  // namespace perilune::engine
