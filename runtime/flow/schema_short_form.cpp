// The short form of a schema: names of types, and tables of fields. And the references, when all has been read.
// SPDX-License-Identifier: MIT
#include "runtime/flow/schema_short_form.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/base/nearest.hpp"

namespace perilune::flow {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 9> k_types = {"string", "integer", "number", "boolean", "object",
                                                     "array",  "null",    "any",    "artifact"};
// Keys that are hardly names of fields. "items" is not among them: orders, carts and lists have it as a field.
constexpr const char* k_full_form_keys[] = {
    "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "properties", "patternProperties", "additionalProperties"};
constexpr size_t k_shown_max = 80;

bool is_type_name(const Json& value) {
  if (!value.is_string()) return false;
  std::string_view name = value.get_ref<const std::string&>();
  if (name.ends_with('?')) name.remove_suffix(1);
  return std::find(k_types.begin(), k_types.end(), name) != k_types.end();
}

bool is_full_form(const Json& node) {
  for (const char* key : k_full_form_keys) {
    if (node.contains(key)) return true;
  }
  for (const auto& field : node.items()) {
    if (field.key().starts_with('$')) return true;
  }
  const auto type = node.find("type");
  if (type == node.end()) return false;
  if (type->is_array()) return std::all_of(type->begin(), type->end(), is_type_name);
  return is_type_name(*type);
}

// A flag of a field that is no keyword of JSON Schema, taken out of it.
std::optional<bool> take_flag(Json& node, const char* name) {
  const auto found = node.find(name);
  if (found == node.end() || !found->is_boolean()) return std::nullopt;
  const bool flag = found->get<bool>();
  node.erase(found);
  return flag;
}

std::string escaped(std::string name) {
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '~') name.replace(i++, 1, "~0");
    if (name[i] == '/') name.replace(i++, 1, "~1");
  }
  return name;
}

}  // namespace

std::string with_article(std::string_view type) {
  if (type == "null") return "null";
  const bool vowel = type.starts_with('i') || type.starts_with('o') || type.starts_with('a');
  return (vowel ? "an " : "a ") + std::string(type);
}

bool is_of_type(const Json& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  if (type != "integer") return true;
  return value.is_number_integer() ||
         (value.is_number_float() && std::nearbyint(value.get<double>()) == value.get<double>());
}

std::string shown_value(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= k_shown_max) return text;
  size_t end = k_shown_max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not in the middle of a character
  return text.substr(0, end) + "...";
}

Result<Json> full_schema(const Json& schema, std::string_view what) {
  SchemaReader reader;
  Json full = reader.either_form(schema, {std::string(what), ""});
  if (!reader.error()) reader.check_references();
  if (reader.error()) return *reader.error();
  return full;
}

void SchemaReader::fail(const At& at, const std::string& message) {
  if (!error_) error_ = Error(code::k_validation, at.place + ": " + message);
}

Json SchemaReader::either_form(const Json& node, const At& at) {
  if (node.is_object() && !is_full_form(node)) return short_object(node, at);
  return full_form(node, at);
}

Json SchemaReader::type_name(const std::string& text, const At& at, bool* optional) {
  if (!is_type_name(Json(text))) {
    const std::string near = nearest(std::string_view(text), k_types);
    std::string message = "unknown type " + shown_value(Json(text));
    std::replace(message.begin(), message.end(), '"', '\'');
    if (!near.empty()) {
      message += ", did you mean '" + near + "'?";
    } else {
      message += ": valid are";
      for (std::string_view type : k_types) message += (type == k_types[0] ? " " : ", ") + std::string(type);
    }
    fail(at, message);
    return Json::object();
  }
  const bool marked = text.ends_with('?');
  const std::string name = marked ? text.substr(0, text.size() - 1) : text;
  if (optional != nullptr) *optional = marked;
  if (name == "any") return Json::object();
  if (name == "artifact") {
    return {{"type", "object"},
            {"x-type", "artifact"},
            {"properties", {{"name", {{"type", "string"}}}}},
            {"required", {"name"}}};
  }
  // Where there is no field that could be absent, "string?" lets null stand for nothing.
  if (marked && optional == nullptr && name != "null") return {{"type", {name, "null"}}};
  return {{"type", name}};
}

Json SchemaReader::short_object(const Json& node, const At& at) {
  schemas_.insert(at.pointer);
  Json out = {{"type", "object"}};
  Json fields = Json::object();
  Json required = Json::array();
  for (const auto& [name, value] : node.items()) {
    if (error_) return out;
    const At inner = {at.place + "." + name, at.pointer + "/properties/" + escaped(name)};
    Presence presence = Presence::k_unsaid;
    fields[name] = field(value, inner, true, presence);
    const bool has_default = fields[name].is_object() && fields[name].contains("default");
    if (presence == Presence::k_required || (presence == Presence::k_unsaid && !has_default)) required.push_back(name);
  }
  if (!fields.empty()) out["properties"] = std::move(fields);
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

Json SchemaReader::field(const Json& node, const At& at, bool is_short, Presence& presence) {
  bool marked = false;
  Json out;
  if (node.is_object() && (!is_short || is_full_form(node))) {
    Json plain = node;
    const auto optional = take_flag(plain, "optional");
    const auto required = take_flag(plain, "required");
    if (optional) presence = *optional ? Presence::k_optional : Presence::k_required;
    if (required) presence = *required ? Presence::k_required : Presence::k_optional;
    out = full_form(plain, at, &marked);
  } else if (node.is_object()) {
    out = short_object(node, at);
  } else if (node.is_string() || !is_short) {
    out = full_form(node, at, &marked);
  } else {
    fail(at, "expected the name of a type or a table, got " + shown_value(node) +
                 " (a field with options is written { type = \"string\", ... })");
  }
  if (marked) presence = Presence::k_optional;
  return out;
}

// A reference must end at a schema, and a value must not be checked against a schema that asks for itself again.
void SchemaReader::check_references() {
  for (const Reference& reference : references_) {
    if (!schemas_.contains(reference.target)) {
      return fail(reference.at, "the reference '#" + reference.target + "' leads to no schema");
    }
    same_value(reference.at, reference.target);
  }
  std::map<std::string, int> state;
  for (const Reference& reference : references_) {
    if (leads_back(reference.at.pointer, state)) {
      return fail(reference.at, "the reference '#" + reference.target + "' leads back to itself for the same value");
    }
  }
}

bool SchemaReader::leads_back(const std::string& pointer, std::map<std::string, int>& state) const {
  constexpr int k_open = 1, k_done = 2;
  const auto [seen, is_new] = state.try_emplace(pointer, k_open);
  if (!is_new) return seen->second == k_open;
  if (const auto next = same_value_.find(pointer); next != same_value_.end()) {
    for (const std::string& target : next->second) {
      if (leads_back(target, state)) return true;
    }
  }
  seen->second = k_done;
  return false;
}

}  // namespace perilune::flow
