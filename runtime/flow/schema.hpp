// Schemas of inputs, outputs and steps: JSON Schema (draft-07), or the short form of the script API
//   "string" "integer" "number" "boolean" "object" "array" "any", a trailing "?" = optional, { type = ... } or a nested
//   table = object. format = "file" | "date-time" | "duration" | "uri" and default = ... are understood.
// The compiled form is shared and immutable. valijson is included in schema.cpp alone (it compiles slowly).
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace perilune::flow {

class Schema {
 public:
  virtual ~Schema() = default;
  // Checks `json` and fills in defaults of absent fields (of objects, at any depth): the text to go on with.
  // An error has code "validation", a message such as
  //   "input.items[2].quantity: 0 is below the minimum 1"  (what, path, value, rule), the first problem of the deepest
  // path, and data = {"problems":[{"path":"/items/2/quantity","value":..,"rule":".."}]}.
  virtual Result<std::string> check(std::string_view json, std::string_view what) const = 0;
  // The full JSON Schema.
  virtual const std::string& json_schema() const = 0;
};

// `json` is a schema in either form: an object whose "type" is a JSON Schema type name (or that has any of "enum"
// "const" "anyOf" "oneOf" "allOf" "not" "if" "properties" "patternProperties" "additionalProperties", or a key that
// begins with "$") is a JSON Schema, any other object is the short form of an object whose keys are its fields (fields
// not named are allowed; all fields but those with "?", optional=true, required=false or a default are required). A
// string is the short form of one value, also where JSON Schema wants a schema ({ type = "array", items = "string" }).
// What stands beside a "$ref" counts. An error (code "validation") says where in the schema and what would be right,
// e.g. "input.sku: unknown type 'strng', did you mean 'string'?". Unknown keywords are errors, but not "x-...".
Result<std::shared_ptr<const Schema>> compile_schema(std::string_view json, std::string_view what);

}  // namespace perilune::flow
