// Fills in what a schema says about absent fields.
// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "runtime/base/result.hpp"

namespace perilune::flow {

// Puts the defaults of absent fields into `value`, in objects at any depth, those of lists and of defaults among them,
// and says whether there were any. Followed are properties, patternProperties, additionalProperties, items, allOf and
// $ref; not anyOf, oneOf, if: which of their branches holds is not known before. An error (code "validation") when the
// defaults of a recursive schema have no end.
Result<bool> fill_defaults(const nlohmann::json& schema, nlohmann::json& value);

}  // namespace perilune::flow
