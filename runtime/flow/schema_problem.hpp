// Says in people's words why a value does not match a schema.
// The validator tells where something failed and, in a sentence of its own, what; the rule itself (the minimum, the
// names that are valid) is looked up here, in the schemas that apply to that place. SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"

namespace perilune::flow {

// One complaint of the validator: keys and indexes from the root of the value, and its sentence. A sentence that begins
// with k_own_rule is ours: what follows the mark is the rule, ready to show.
struct Finding {
  std::vector<std::string> path;
  std::string sentence;
};
inline constexpr char k_own_rule = '\x01';

// The error of Schema::check: the first problem of the deepest path is its message, up to 20 are in its data.
// `schema` is the full JSON Schema, `value` what was checked.
Error explain(const nlohmann::json& schema, const nlohmann::json& value, const std::vector<Finding>& findings,
              std::string_view what);

}  // namespace perilune::flow
