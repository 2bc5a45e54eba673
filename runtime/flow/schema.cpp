// Schemas that are compiled by valijson, which is included nowhere else: it takes long to compile.
//
// valijson is given a prepared copy of the full schema, because of what it cannot do safely or at all:
//  - it takes 1.0 for no integer: numbers without a fraction are made integers, in the schema and in the value;
//  - it matches patterns by a recursion that overflows the stack, compares all pairs for uniqueItems, divides by a
//    converted integer for multipleOf, counts up to the first NUL for lengths, and knows three formats: these keywords
//    are taken out and come back as one constraint of our own (OwnRules), under the key "x-rules";
//  - an "id" would change what references mean.
// SPDX-License-Identifier: MIT
#include "runtime/flow/schema.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "runtime/base/json_nesting.hpp"
#include "runtime/flow/schema_defaults.hpp"
#include "runtime/flow/schema_format.hpp"
#include "runtime/flow/schema_problem.hpp"
#include "runtime/flow/schema_short_form.hpp"

namespace perilune::flow {
namespace {

using Json = nlohmann::json;
using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

constexpr const char* k_own_keywords[] = {"pattern", "format", "minLength", "maxLength", "multipleOf", "uniqueItems"};
constexpr const char* k_dropped_keywords[] = {"id", "$id", "title", "description", "default", "examples", "example"};
constexpr const char* k_rules_key = "x-rules";
constexpr double k_int64_limit = 0x1p63;

Error invalid(std::string_view what, const std::string& message) {
  return {code::k_validation, std::string(what) + ": " + message};
}

Result<Json> parse(std::string_view text, std::string_view what) {
  if (json_nesting(text) > k_json_nesting_max) {
    return invalid(what, "nested deeper than " + std::to_string(k_json_nesting_max) + " levels");
  }
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return invalid(what, "not JSON");
  return json;
}

// Floats without a fraction become integers. True if there were any.
bool integers_from_floats(Json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::nearbyint(number) != number || std::fabs(number) >= k_int64_limit) return false;
    value = static_cast<int64_t>(number);
    return true;
  }
  bool changed = false;
  if (value.is_structured()) {
    for (Json& part : value) changed = integers_from_floats(part) || changed;
  }
  return changed;
}

bool has_whole_float(const Json& value) {
  if (value.is_number_float()) return std::nearbyint(value.get<double>()) == value.get<double>();
  return value.is_structured() && std::any_of(value.begin(), value.end(), has_whole_float);
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// A text that is equal for equal values only.
void append_canonical(const Adapter& value, std::string& out) {
  if (value.isString()) {
    const std::string text = value.asString();
    out += "s" + std::to_string(text.size()) + ":" + text;
  } else if (value.isArray()) {
    out += '[';
    value.applyToArray([&](const Adapter& item) {
      append_canonical(item, out);
      return true;
    });
    out += ']';
  } else if (value.isObject()) {
    out += '{';
    value.applyToObject([&](const std::string& key, const Adapter& field) {
      out += std::to_string(key.size()) + ":" + key;
      append_canonical(field, out);
      return true;
    });
    out += '}';
  } else if (value.isInteger()) {
    out += "i" + std::to_string(value.asInteger()) + ";";
  } else if (value.isNumber()) {
    out += "d" + Json(value.asDouble()).dump() + ";";
  } else {
    out += value.isNull() ? "n" : value.isBool() && value.asBool() ? "t" : "f";
  }
}

bool has_equal_items(const Adapter& array) {
  std::vector<std::string> items;
  array.applyToArray([&](const Adapter& item) {
    append_canonical(item, items.emplace_back());
    return true;
  });
  std::sort(items.begin(), items.end());
  return std::adjacent_find(items.begin(), items.end()) != items.end();
}

// The keywords of one schema that we check ourselves.
class OwnRules {
 public:
  explicit OwnRules(const Json& keywords) {
    if (keywords.contains("pattern")) pattern_.emplace(keywords["pattern"].get<std::string>());
    if (keywords.contains("format")) format_ = keywords["format"].get<std::string>();
    if (keywords.contains("minLength")) min_length_ = keywords["minLength"].get<uint64_t>();
    if (keywords.contains("maxLength")) max_length_ = keywords["maxLength"].get<uint64_t>();
    if (keywords.contains("multipleOf")) multiple_of_ = keywords["multipleOf"];
    if (keywords.contains("uniqueItems")) unique_ = keywords["uniqueItems"].get<bool>();
  }

  // What rule the value breaks, or "".
  std::string broken_by(const Adapter& value) const {
    if (value.isString()) return broken_by_text(value.asString());
    if (value.isNumber() && multiple_of_.is_number() && !is_multiple(value)) {
      return "is not a multiple of " + multiple_of_.dump();
    }
    if (unique_ && value.isArray() && has_equal_items(value)) return "has items that are equal";
    return "";
  }

 private:
  std::string broken_by_text(const std::string& text) const {
    const auto length = [](uint64_t n) { return std::to_string(n) + (n == 1 ? " character" : " characters"); };
    if (min_length_ || max_length_) {
      const size_t count = characters(text);
      if (min_length_ && count < *min_length_) return "is shorter than " + length(*min_length_);
      if (max_length_ && count > *max_length_) return "is longer than " + length(*max_length_);
    }
    if (!format_.empty()) {
      std::string trouble = trouble_with_text(format_, text);
      if (!trouble.empty()) return trouble;
    }
    if (!pattern_) return "";
    if (text.size() > k_pattern_text_max) {
      return "is longer than 64 KiB, which is too long to be matched against the pattern '" + pattern_->text() + "'";
    }
    return pattern_->found_in(text) ? "" : "does not match the pattern '" + pattern_->text() + "'";
  }

  bool is_multiple(const Adapter& value) const {
    if (value.isInteger() && multiple_of_.is_number_integer()) {
      return value.asInteger() % multiple_of_.get<int64_t>() == 0;
    }
    // Decimal fractions are not exact in binary: 0.3 counts as a multiple of 0.1.
    const double ratio = value.asDouble() / multiple_of_.get<double>();
    return std::isfinite(ratio) && std::fabs(ratio - std::nearbyint(ratio)) <= 1e-9 * std::max(1.0, std::fabs(ratio));
  }

  std::optional<Pattern> pattern_;
  std::string format_;
  std::optional<uint64_t> min_length_, max_length_;
  Json multiple_of_;
  bool unique_ = false;
};

class OwnRulesConstraint final : public valijson::constraints::PolyConstraint {
 public:
  explicit OwnRulesConstraint(std::shared_ptr<const OwnRules> rules) : rules_(std::move(rules)) {}

  bool validate(const Adapter& value, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    const std::string broken = rules_->broken_by(value);
    if (broken.empty()) return true;
    if (results != nullptr) results->pushError(context, k_own_rule + broken);
    return false;
  }

 private:
  valijson::constraints::Constraint* cloneInto(void* memory) const override {
    return new (memory) OwnRulesConstraint(*this);
  }
  size_t sizeOf() const override { return sizeof(OwnRulesConstraint); }

  std::shared_ptr<const OwnRules> rules_;
};

using RuleTable = std::vector<std::shared_ptr<const OwnRules>>;

// The value of "x-rules" is a number in the table.
class OwnRulesBuilder final : public valijson::ConstraintBuilder {
 public:
  explicit OwnRulesBuilder(const RuleTable& table) : table_(table) {}
  valijson::constraints::Constraint* make(const Adapter& number) const override {
    return new OwnRulesConstraint(table_.at(static_cast<size_t>(number.asInteger())));
  }

 private:
  const RuleTable& table_;
};

template <class Function>
void for_each_subschema(Json& schema, const Function& call) {
  for (const char* key :
       {"not", "if", "then", "else", "contains", "propertyNames", "additionalProperties", "additionalItems"}) {
    if (schema.contains(key)) call(schema[key]);
  }
  for (const char* key :
       {"allOf", "anyOf", "oneOf", "properties", "patternProperties", "definitions", "$defs", "dependencies"}) {
    if (!schema.contains(key)) continue;
    for (Json& part : schema[key]) call(part);
  }
  if (!schema.contains("items")) return;
  Json& items = schema["items"];
  if (!items.is_array()) return call(items);
  for (Json& item : items) call(item);
}

void take_out_own_keywords(Json& schema, RuleTable& table) {
  if (!schema.is_object()) return;
  Json own = Json::object();
  for (const char* key : k_own_keywords) {
    if (!schema.contains(key)) continue;
    own[key] = std::move(schema[key]);
    schema.erase(key);
  }
  for (const char* key : k_dropped_keywords) schema.erase(key);
  for (auto field = schema.begin(); field != schema.end();) {
    field = field.key().starts_with("x-") ? schema.erase(field) : std::next(field);
  }
  for_each_subschema(schema, [&](Json& part) { take_out_own_keywords(part, table); });
  if (own.empty()) return;
  schema[k_rules_key] = table.size();
  table.push_back(std::make_shared<const OwnRules>(own));
}

std::vector<Finding> findings_of(const valijson::ValidationResults& results) {
  std::vector<Finding> findings;
  for (const auto& error : results) {
    Finding finding{{}, error.description};
    for (size_t i = 1; i < error.context.size(); ++i) {  // "<root>", then "[key]" for each step
      finding.path.push_back(error.context[i].substr(1, error.context[i].size() - 2));
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

class CompiledSchema final : public Schema {
 public:
  static Result<std::shared_ptr<const Schema>> compile(Json full, std::string_view what) {
    auto schema = std::make_shared<CompiledSchema>();
    schema->full_ = std::move(full);
    schema->text_ = schema->full_.dump(-1, ' ', false, Json::error_handler_t::replace);
    Json prepared = schema->full_;
    integers_from_floats(prepared);
    try {
      RuleTable table;
      take_out_own_keywords(prepared, table);
      valijson::SchemaParser parser;
      parser.addConstraintBuilder(k_rules_key, new OwnRulesBuilder(table));
      parser.populateSchema(NlohmannJsonAdapter(prepared), schema->compiled_);
    } catch (const std::exception& error) {  // our own reading should have refused it before
      return invalid(what, std::string("the schema does not compile: ") + error.what());
    }
    return std::shared_ptr<const Schema>(std::move(schema));
  }

  Result<std::string> check(std::string_view json, std::string_view what) const override {
    Result<Json> value = parse(json, what);
    if (!value) return value.error();
    const Result<bool> filled = fill_defaults(full_, *value);
    if (!filled) return invalid(what, filled.error().message);
    if (auto error = problem(*value, what)) return *error;
    return *filled ? value->dump(-1, ' ', false, Json::error_handler_t::replace) : std::string(json);
  }

  const std::string& json_schema() const override { return text_; }

 private:
  std::optional<Error> problem(const Json& value, std::string_view what) const {
    Json whole;
    if (has_whole_float(value)) {
      whole = value;
      integers_from_floats(whole);
    }
    const Json& seen = whole.is_null() ? value : whole;
    try {
      valijson::Validator validator(valijson::Validator::kStrongTypes);
      if (validator.validate(compiled_, NlohmannJsonAdapter(seen), nullptr)) return std::nullopt;
      valijson::ValidationResults results;  // again, slower, and with reasons
      validator.validate(compiled_, NlohmannJsonAdapter(seen), &results);
      return explain(full_, value, findings_of(results), what);
    } catch (const std::exception& error) {
      return invalid(what, std::string("could not be checked: ") + error.what());
    }
  }

  Json full_;
  std::string text_;
  valijson::Schema compiled_;
};

}  // namespace

Result<std::shared_ptr<const Schema>> compile_schema(std::string_view json, std::string_view what) {
  const Result<Json> schema = parse(json, what);
  if (!schema) return schema.error();
  Result<Json> full = full_schema(*schema, what);
  if (!full) return full.error();
  return CompiledSchema::compile(std::move(*full), what);
}

}  // namespace perilune::flow
