// The full form of a schema: each keyword of JSON Schema draft-07 with the kind of value that it takes.
// Keywords that are not known are refused, as everywhere in the script API, but for annotations of one's own ("x-...").
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/nearest.hpp"
#include "runtime/flow/schema_format.hpp"
#include "runtime/flow/schema_short_form.hpp"

namespace perilune::flow {
namespace {

using Json = nlohmann::json;

enum class Kind {
  k_any,
  k_text,
  k_number,
  k_positive,
  k_count,
  k_flag,
  k_names,
  k_values,
  k_schema,
  k_schemas,
  k_schema_map,
  k_items,
  k_dependencies,
  k_format,
  k_pattern,
  k_special
};

struct Keyword {
  std::string_view name;
  Kind kind;
  bool same_value = false;  // its schemas are applied to the value itself, not to a part of it
};

constexpr Keyword k_keywords[] = {{"type", Kind::k_special},
                                  {"$ref", Kind::k_special},
                                  {"properties", Kind::k_special},
                                  {"required", Kind::k_names},
                                  {"enum", Kind::k_values},
                                  {"const", Kind::k_any},
                                  {"default", Kind::k_any},
                                  {"format", Kind::k_format},
                                  {"pattern", Kind::k_pattern},
                                  {"minimum", Kind::k_number},
                                  {"maximum", Kind::k_number},
                                  {"exclusiveMinimum", Kind::k_number},
                                  {"exclusiveMaximum", Kind::k_number},
                                  {"multipleOf", Kind::k_positive},
                                  {"minLength", Kind::k_count},
                                  {"maxLength", Kind::k_count},
                                  {"minItems", Kind::k_count},
                                  {"maxItems", Kind::k_count},
                                  {"minProperties", Kind::k_count},
                                  {"maxProperties", Kind::k_count},
                                  {"uniqueItems", Kind::k_flag},
                                  {"items", Kind::k_items},
                                  {"additionalItems", Kind::k_schema},
                                  {"contains", Kind::k_schema},
                                  {"additionalProperties", Kind::k_schema},
                                  {"propertyNames", Kind::k_schema},
                                  {"patternProperties", Kind::k_schema_map},
                                  {"definitions", Kind::k_schema_map},
                                  {"$defs", Kind::k_schema_map},
                                  {"dependencies", Kind::k_dependencies},
                                  {"not", Kind::k_schema, true},
                                  {"if", Kind::k_schema, true},
                                  {"then", Kind::k_schema, true},
                                  {"else", Kind::k_schema, true},
                                  {"allOf", Kind::k_schemas, true},
                                  {"anyOf", Kind::k_schemas, true},
                                  {"oneOf", Kind::k_schemas, true},
                                  {"title", Kind::k_text},
                                  {"description", Kind::k_text},
                                  {"examples", Kind::k_any},
                                  {"example", Kind::k_any},
                                  {"$comment", Kind::k_text},
                                  {"$schema", Kind::k_text},
                                  {"$id", Kind::k_text},
                                  {"readOnly", Kind::k_flag},
                                  {"writeOnly", Kind::k_flag},
                                  {"deprecated", Kind::k_flag},
                                  {"contentMediaType", Kind::k_text},
                                  {"contentEncoding", Kind::k_text}};

constexpr std::string_view k_newer_keywords[] = {
    "prefixItems", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "minContains",
    "maxContains", "$dynamicRef",       "$dynamicAnchor",   "$recursiveRef",         "$anchor",          "$vocabulary"};

const Keyword* find_keyword(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(k_keywords), std::end(k_keywords), [&](const Keyword& k) { return k.name == name; });
  return found == std::end(k_keywords) ? nullptr : found;
}

constexpr double k_count_max = 0x1p53;

bool is_count(const Json& value) {
  return value.is_number() && value >= 0 && value <= k_count_max && is_of_type(value, "integer");
}

bool is_list_of_names(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& name) { return name.is_string(); });
}

// What is wrong with the value of a keyword that holds no schemas, or "".
std::string trouble_with(Kind kind, const Json& value) {
  switch (kind) {
    case Kind::k_text:
      return value.is_string() ? "" : "must be a string";
    case Kind::k_number:
      return value.is_number() ? "" : "must be a number";
    case Kind::k_positive:
      return value.is_number() && value > 0 ? "" : "must be a number above 0";
    case Kind::k_count:
      return is_count(value) ? "" : "must be a whole number, 0 or more";
    case Kind::k_flag:
      return value.is_boolean() ? "" : "must be true or false";
    case Kind::k_names:
      return is_list_of_names(value) ? "" : "must be a list of names";
    case Kind::k_values:
      return value.is_array() && !value.empty() ? "" : "must be a list with at least one value";
    case Kind::k_format:
      return value.is_string() ? trouble_with_format(value.get<std::string>()) : "must be a string";
    case Kind::k_pattern:
      return value.is_string() ? trouble_with_pattern(value.get<std::string>()) : "must be a string";
    default:
      return "";
  }
}

SchemaReader::At below(const SchemaReader::At& at, const std::string& keyword, const std::string& name) {
  std::string escaped;
  for (char c : name) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  const std::string place = keyword == "properties" ? "." + name : "." + keyword + "." + name;
  return {at.place + place, at.pointer + "/" + keyword + "/" + escaped};
}

SchemaReader::At at_index(const SchemaReader::At& at, const std::string& keyword, size_t i) {
  const std::string number = std::to_string(i);
  const std::string name = keyword == "items" ? "" : "." + keyword;
  return {at.place + name + "[" + number + "]", at.pointer + "/" + keyword + "/" + number};
}

}  // namespace

Json SchemaReader::full_form(const Json& node, const At& at, bool* optional) {
  schemas_.insert(at.pointer);
  if (node.is_boolean()) return node;
  if (node.is_string()) return type_name(node.get<std::string>(), at, optional);
  if (!node.is_object()) {
    fail(at, "expected a schema (a table or the name of a type), got " + shown_value(node));
    return Json::object();
  }
  Json out = Json::object();
  if (const auto type = node.find("type"); type != node.end()) set_type(*type, at, out, optional);
  for (const auto& [name, value] : node.items()) {
    if (error_) return out;
    if (name == "type" || name == "$ref") continue;
    if (name == "properties") {
      properties(value, at, out);
    } else if (name == "required") {
      const Json names = value.is_object() && value.empty() ? Json::array() : value;  // {} of a script may be a list
      for (const Json& field : keyword_value(name, names, at)) {
        Json& required = out["required"];
        if (std::find(required.begin(), required.end(), field) == required.end()) required.push_back(field);
      }
    } else if (name.starts_with("x-")) {
      out[name] = value;
    } else {
      out[name] = keyword_value(name, value, at);
    }
  }
  if (const auto ref = node.find("$ref"); ref != node.end() && !error_) add_reference(*ref, at, node.size() == 1, out);
  check_default(out, at);
  return out;
}

void SchemaReader::set_type(const Json& type, const At& at, Json& out, bool* optional) {
  if (type.is_string()) {
    out = type_name(type.get<std::string>(), at, optional);
    return;
  }
  if (!is_list_of_names(type) || type.empty()) {
    return fail(at, "'type' must be the name of a type or a list of them, got " + shown_value(type));
  }
  Json types = Json::array();
  for (const Json& name : type) {
    if (name == "any") return;  // any of these, or any at all
    if (name == "artifact") return fail(at, "'artifact' cannot stand in a list of types: use anyOf");
    bool ignored = false;
    const Json one = type_name(name.get<std::string>(), at, &ignored);
    if (error_) return;
    if (ignored) return fail(at, "'?' cannot stand in a list of types: add \"null\" to the list");
    types.push_back(one["type"]);
  }
  out["type"] = std::move(types);
}

Json SchemaReader::keyword_value(const std::string& name, const Json& value, const At& at) {
  const Keyword* keyword = find_keyword(name);
  if (keyword == nullptr) {
    unknown_keyword(name, at);
    return value;
  }
  switch (keyword->kind) {
    case Kind::k_schema: {
      const At inner = {at.place + "." + name, at.pointer + "/" + name};
      if (keyword->same_value) same_value(at, inner.pointer);
      return full_form(value, inner);
    }
    case Kind::k_schemas:
      return schema_list(name, value, at);
    case Kind::k_schema_map:
      return schema_map(name, value, at);
    case Kind::k_items:
      return items(value, at);
    case Kind::k_dependencies:
      return dependencies(value, at);
    default:
      break;
  }
  const std::string trouble = trouble_with(keyword->kind, value);
  if (!trouble.empty()) fail(at, "'" + name + "' " + trouble + ", got " + shown_value(value));
  return value;
}

Json SchemaReader::schema_list(const std::string& name, const Json& value, const At& at) {
  if (!value.is_array() || value.empty()) {
    fail(at, "'" + name + "' must be a list of schemas, got " + shown_value(value));
    return value;
  }
  Json out = Json::array();
  for (size_t i = 0; i < value.size() && !error_; ++i) {
    const At inner = at_index(at, name, i);
    same_value(at, inner.pointer);
    out.push_back(full_form(value[i], inner));
  }
  return out;
}

Json SchemaReader::schema_map(const std::string& name, const Json& value, const At& at) {
  if (!value.is_object()) {
    fail(at, "'" + name + "' must be a table of schemas, got " + shown_value(value));
    return value;
  }
  Json out = Json::object();
  for (const auto& [key, schema] : value.items()) {
    if (error_) break;
    if (name == "patternProperties") {
      const std::string trouble = trouble_with_pattern(key);
      if (!trouble.empty()) fail(at, "a key of 'patternProperties' " + trouble + ", got " + shown_value(Json(key)));
    }
    out[key] = full_form(schema, below(at, name, key));
  }
  return out;
}

Json SchemaReader::items(const Json& value, const At& at) {
  if (!value.is_array()) return full_form(value, {at.place + "[]", at.pointer + "/items"});
  Json out = Json::array();
  for (size_t i = 0; i < value.size() && !error_; ++i) out.push_back(full_form(value[i], at_index(at, "items", i)));
  return out;
}

Json SchemaReader::dependencies(const Json& value, const At& at) {
  if (!value.is_object()) {
    fail(at, "'dependencies' must be a table of schemas or of lists of names, got " + shown_value(value));
    return value;
  }
  Json out = Json::object();
  for (const auto& [key, dependency] : value.items()) {
    if (error_) break;
    const At inner = below(at, "dependencies", key);
    if (is_list_of_names(dependency)) {
      out[key] = dependency;
    } else {
      same_value(at, inner.pointer);
      out[key] = full_form(dependency, inner);
    }
  }
  return out;
}

void SchemaReader::properties(const Json& value, const At& at, Json& out) {
  if (!value.is_object()) return fail(at, "'properties' must be a table of schemas, got " + shown_value(value));
  Json& fields = out["properties"];  // an artifact has one already
  if (fields.is_null()) fields = Json::object();
  std::vector<std::string> required;
  for (const auto& [name, schema] : value.items()) {
    if (error_) return;
    Presence presence = Presence::k_unsaid;
    fields[name] = field(schema, below(at, "properties", name), false, presence);
    if (presence == Presence::k_required) required.push_back(name);
  }
  for (const std::string& name : required) out["required"].push_back(name);
}

// In draft-07 what stands beside a reference is ignored; here it counts, as people expect, and as later drafts say.
void SchemaReader::add_reference(const Json& ref, const At& at, bool alone, Json& out) {
  const std::string text = ref.is_string() ? ref.get<std::string>() : "";
  if (text != "#" && !text.starts_with("#/")) {
    return fail(
        at, "'$ref' must lead to a place in the same schema, such as \"#/definitions/name\", got " + shown_value(ref));
  }
  const std::string target = text.substr(1);
  if (alone) {
    out["$ref"] = text;
    references_.push_back({at, target});
    return;
  }
  Json& all = out["allOf"];
  const At inner = {at.place, at.pointer + "/allOf/" + std::to_string(all.size())};
  all.push_back({{"$ref", text}});
  schemas_.insert(inner.pointer);
  same_value(at, inner.pointer);
  references_.push_back({inner, target});
}

void SchemaReader::check_default(const Json& out, const At& at) {
  const auto value = out.find("default");
  if (error_ || value == out.end()) return;
  if (const auto type = out.find("type"); type != out.end()) {
    const Json types = type->is_array() ? *type : Json::array({*type});
    std::string wanted;
    bool fits = false;
    for (const Json& name : types) {
      fits = fits || is_of_type(*value, name.get<std::string>());
      wanted += (wanted.empty() ? "" : " or ") + with_article(name.get<std::string>());
    }
    if (!fits) return fail(at, "the default " + shown_value(*value) + " is not " + wanted);
  }
  const auto values = out.find("enum");
  if (values != out.end() && std::find(values->begin(), values->end(), *value) == values->end()) {
    fail(at, "the default " + shown_value(*value) + " is not one of the values of 'enum'");
  }
}

void SchemaReader::unknown_keyword(const std::string& name, const At& at) {
  if (std::find(std::begin(k_newer_keywords), std::end(k_newer_keywords), name) != std::end(k_newer_keywords)) {
    return fail(at, "'" + name + "' is newer than JSON Schema draft-07, which is what is understood here");
  }
  if (name == "optional" || name == "required") {
    return fail(at, "'" + name + "' can be said of a field only");
  }
  std::vector<std::string_view> names;
  for (const Keyword& keyword : k_keywords) names.push_back(keyword.name);
  if (!nearest(std::string_view(name), names).empty())
    return fail(at, unknown_name("keyword", name, "a schema", names));
  fail(
      at,
      "unknown keyword " + shown_value(Json(name)) +
          " of a JSON Schema (notes of one's own begin with 'x-'; if 'type' is meant as the name of a field, write the "
          "fields in properties = { ... })");
}

}  // namespace perilune::flow
