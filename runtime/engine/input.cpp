// Reading and writing of an input; see input.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/input.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/json_nesting.hpp"

namespace perilune::engine {

Result<std::string> canonical_input(const std::string& text) {
  if (json_nesting(text) > k_json_nesting_max)
    return Error(code::k_validation, "input: nested deeper than " + std::to_string(k_json_nesting_max) + " levels");
  nlohmann::json input = nlohmann::json::parse(text, nullptr, false);
  if (input.is_discarded()) return Error(code::k_validation, "input: this is no JSON text");
  return input.dump();  // a text that was parsed is UTF-8: dumping it does not throw
}

}  // namespace perilune::engine
