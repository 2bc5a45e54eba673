// A walk over schema and value side by side.
// SPDX-License-Identifier: MIT
#include "runtime/flow/schema_defaults.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/json_nesting.hpp"
#include "runtime/flow/schema_format.hpp"

namespace perilune::flow {
namespace {

using Json = nlohmann::json;

constexpr int k_fields_max = 100'000;  // filled in one value

class Filler {
 public:
  explicit Filler(const Json& root) : root_(root) {}

  void fill(const Json& schema, Json& value, int depth) {
    if (!schema.is_object() || endless_) return;
    if (depth > k_json_nesting_max + 1) {
      endless_ = true;
      return;
    }
    if (const auto ref = schema.find("$ref"); ref != schema.end()) {
      const Json::json_pointer target(ref->get_ref<const std::string&>().substr(1));
      if (root_.contains(target)) fill(root_[target], value, depth);
    }
    if (const auto all = schema.find("allOf"); all != schema.end()) {
      for (const Json& part : *all) fill(part, value, depth);
    }
    if (value.is_object()) fill_object(schema, value, depth);
    if (value.is_array()) fill_array(schema, value, depth);
  }

  bool filled() const { return count_ > 0; }
  bool endless() const { return endless_; }

 private:
  void fill_object(const Json& schema, Json& value, int depth) {
    const auto properties = schema.find("properties");
    if (properties != schema.end()) {
      for (const auto& [name, field] : properties->items()) {
        if (!value.contains(name)) {
          if (!field.is_object() || !field.contains("default")) continue;
          value[name] = field["default"];
          endless_ = endless_ || ++count_ > k_fields_max;
        }
        fill(field, value[name], depth + 1);
      }
    }
    const auto patterns = schema.find("patternProperties");
    const auto others = schema.find("additionalProperties");
    if (patterns == schema.end() && (others == schema.end() || !others->is_object())) return;
    for (const auto& [name, field] : value.items()) {
      bool matched = properties != schema.end() && properties->contains(name);
      if (patterns != schema.end() && name.size() <= k_pattern_text_max) {
        for (const auto& [pattern, pattern_schema] : patterns->items()) {
          if (!Pattern(pattern).found_in(name)) continue;
          matched = true;
          fill(pattern_schema, field, depth + 1);
        }
      }
      if (!matched && others != schema.end()) fill(*others, field, depth + 1);
    }
  }

  void fill_array(const Json& schema, Json& value, int depth) {
    const auto items = schema.find("items");
    if (items == schema.end()) return;
    for (size_t i = 0; i < value.size(); ++i) {
      if (!items->is_array()) {
        fill(*items, value[i], depth + 1);
      } else if (i < items->size()) {
        fill((*items)[i], value[i], depth + 1);
      } else if (const auto others = schema.find("additionalItems"); others != schema.end()) {
        fill(*others, value[i], depth + 1);
      }
    }
  }

  const Json& root_;
  int count_ = 0;
  bool endless_ = false;
};

}  // namespace

Result<bool> fill_defaults(const Json& schema, Json& value) {
  Filler filler(schema);
  filler.fill(schema, value, 0);
  if (filler.endless()) return Error(code::k_validation, "the defaults of the schema have no end");
  return filler.filled();
}

}  // namespace perilune::flow
