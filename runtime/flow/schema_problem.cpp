// From the validator's sentence to a keyword, from the keyword to the rule that was broken, and to one line of text.
// SPDX-License-Identifier: MIT
#include "runtime/flow/schema_problem.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/base/nearest.hpp"
#include "runtime/flow/schema_format.hpp"
#include "runtime/flow/schema_short_form.hpp"

namespace perilune::flow {
namespace {

using Json = nlohmann::json;
using Path = std::vector<std::string>;
using Schemas = std::vector<const Json*>;  // pointers into the full schema

constexpr size_t k_problems_max = 20;
constexpr size_t k_names_max = 12;

// How the validator's sentences begin (valijson 1.0). Those that are not here are repeats by the parents of a failure.
struct Sentence {
  std::string_view begin;
  std::string_view keyword;
};
constexpr Sentence k_sentences[] = {{"Value type not permitted", "type"},
                                    {"Failed to match against any enum", "enum"},
                                    {"Failed to match expected value", "const"},
                                    {"Expected number greater than or equal", "minimum"},
                                    {"Expected number greater than", "exclusiveMinimum"},
                                    {"Expected number less than or equal", "maximum"},
                                    {"Expected number less than", "exclusiveMaximum"},
                                    {"Array should contain no more", "maxItems"},
                                    {"Array should contain no fewer", "minItems"},
                                    {"Object should have no more", "maxProperties"},
                                    {"Object should have no fewer", "minProperties"},
                                    {"Missing required property '", "required"},
                                    {"Missing dependency '", "dependencies"},
                                    {"Object contains a property", "additionalProperties"},
                                    {"Array contains more items", "additionalItems"},
                                    {"Cannot validate item #", "additionalItems"},
                                    {"Failed to any values against", "contains"},
                                    {"Target should not validate", "not"},
                                    {"Failed to validate against exactly one", "oneOf"}};

struct Problem {
  Path path;
  const Json* value;  // null: there is none
  std::string rule;
};

const Json* find(const Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

const Json* value_at(const Json& root, const Path& path) {
  const Json* value = &root;
  for (const std::string& key : path) {
    if (value->is_array()) {
      const size_t i = std::strtoull(key.c_str(), nullptr, 10);
      value = i < value->size() ? &(*value)[i] : nullptr;
    } else {
      value = find(*value, key);
    }
    if (value == nullptr) return nullptr;
  }
  return value;
}

// Adds `schema` and all that is applied to the same value.
void add_with_branches(const Json& root, const Json* schema, Schemas& out) {
  if (schema == nullptr || std::find(out.begin(), out.end(), schema) != out.end()) return;
  out.push_back(schema);
  if (const Json* ref = find(*schema, "$ref")) {
    const Json::json_pointer pointer(ref->get_ref<const std::string&>().substr(1));
    if (root.contains(pointer)) add_with_branches(root, &root[pointer], out);
  }
  for (const char* list : {"allOf", "anyOf", "oneOf"}) {
    if (const Json* branches = find(*schema, list)) {
      for (const Json& branch : *branches) add_with_branches(root, &branch, out);
    }
  }
  for (const char* branch : {"then", "else"}) add_with_branches(root, find(*schema, branch), out);
  if (const Json* dependencies = find(*schema, "dependencies")) {
    for (const Json& dependency : *dependencies) add_with_branches(root, &dependency, out);
  }
}

void add_children(const Json& root, const Json& schema, bool in_array, const std::string& key, Schemas& out) {
  if (in_array) {
    const Json* items = find(schema, "items");
    if (items != nullptr && items->is_array()) {
      const size_t i = std::strtoull(key.c_str(), nullptr, 10);
      items = i < items->size() ? &(*items)[i] : find(schema, "additionalItems");
    }
    return add_with_branches(root, items, out);
  }
  const Json* properties = find(schema, "properties");
  const Json* child = properties == nullptr ? nullptr : find(*properties, key);
  add_with_branches(root, child, out);
  bool matched = child != nullptr;
  if (const Json* patterns = find(schema, "patternProperties");
      patterns != nullptr && key.size() <= k_pattern_text_max) {
    for (const auto& [pattern, pattern_schema] : patterns->items()) {
      if (!Pattern(pattern).found_in(key)) continue;
      add_with_branches(root, &pattern_schema, out);
      matched = true;
    }
  }
  if (!matched) add_with_branches(root, find(schema, "additionalProperties"), out);
}

// Every schema that may apply to the value at `path`. Some may not after all (the other branch of an anyOf): what is
// said is taken only from those that the value breaks.
Schemas schemas_at(const Json& root, const Json& value, const Path& path) {
  Schemas here;
  add_with_branches(root, &root, here);
  const Json* at = &value;
  for (const std::string& key : path) {
    Schemas next;
    const bool in_array = at != nullptr && at->is_array();
    for (const Json* schema : here) add_children(root, *schema, in_array, key, next);
    here = std::move(next);
    if (at != nullptr) at = value_at(*at, {key});
  }
  return here;
}

std::string quoted_name(std::string_view sentence) {
  constexpr std::string_view k_mark =
      "constraints: '";  // the sentence about additionalProperties quotes keywords before
  const size_t mark = sentence.find(k_mark);
  const size_t begin = mark == std::string_view::npos ? sentence.find('\'') : mark + k_mark.size() - 1;
  const size_t end = sentence.rfind('\'');
  const bool good = begin != std::string_view::npos && end > begin;
  return good ? std::string(sentence.substr(begin + 1, end - begin - 1)) : "";
}

std::string counted(const Json& count, std::string_view one, std::string_view many) {
  return count.dump() + " " + std::string(count == 1 ? one : many);
}

std::string type_rule(const Schemas& schemas, const Json& value) {
  std::vector<std::string> wanted;
  for (const Json* schema : schemas) {
    const Json* type = find(*schema, "type");
    if (type == nullptr) continue;
    const Json types = type->is_array() ? *type : Json::array({*type});
    const auto fits = [&](const Json& name) { return is_of_type(value, name.get<std::string>()); };
    if (std::any_of(types.begin(), types.end(), fits)) continue;
    for (const Json& name : types) {
      const std::string text = with_article(name.get<std::string>());
      if (std::find(wanted.begin(), wanted.end(), text) == wanted.end()) wanted.push_back(text);
    }
  }
  std::string text;
  for (const std::string& name : wanted) text += (text.empty() ? "" : " or ") + name;
  if (text.empty()) return value.is_number() ? "is beyond what an integer holds" : "has the wrong type";
  const bool empty_table = value.is_object() && value.empty() && text.find("an array") != std::string::npos;
  return "is not " + text + (empty_table ? " (in a script, an empty list is json.array{})" : "");
}

std::string list_of(const Json& values) {
  std::string text;
  size_t count = 0;
  for (const Json& value : values) {
    if (count++ == k_names_max) return text + ", ...";
    text += (text.empty() ? "" : ", ") + shown_value(value);
  }
  return text;
}

std::string enum_rule(const Json& values, const Json& value) {
  std::string text = "is not one of " + list_of(values);
  if (!value.is_string()) return text;
  std::vector<std::string> names;
  for (const Json& name : values) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  const std::string near = nearest(value.get_ref<const std::string&>(), names);
  return near.empty() ? text : text + ": did you mean '" + near + "'?";
}

// Names that an object may have here.
std::vector<std::string> field_names(const Schemas& schemas) {
  std::set<std::string> names;
  for (const Json* schema : schemas) {
    if (const Json* properties = find(*schema, "properties")) {
      for (const auto& field : properties->items()) names.insert(field.key());
    }
  }
  return {names.begin(), names.end()};
}

std::string unknown_field_rule(const Schemas& schemas, const std::string& name) {
  const std::vector<std::string> names = field_names(schemas);
  const std::string near = nearest(name, names);
  if (!near.empty()) return "unknown field, did you mean '" + near + "'?";
  std::string text = "unknown field";
  for (size_t i = 0; i < names.size() && i < k_names_max; ++i) text += (i == 0 ? ": valid are " : ", ") + names[i];
  return names.size() > k_names_max ? text + ", ..." : text;
}

// A required field that is missing was perhaps mistyped: look among the fields that nobody asked for.
std::string missing_rule(const Schemas& schemas, const Json& object, const std::string& name) {
  const std::vector<std::string> known = field_names(schemas);
  std::vector<std::string> strangers;
  if (object.is_object()) {
    for (const auto& field : object.items()) {
      if (std::find(known.begin(), known.end(), field.key()) == known.end()) strangers.push_back(field.key());
    }
  }
  const std::string near = nearest(name, strangers);
  return near.empty() ? "required, but missing" : "required, but missing: there is '" + near + "', is that it?";
}

// Whether `value` breaks the limit of a keyword, and how that is said.
struct Limit {
  std::string_view keyword;
  bool (*broken)(const Json& value, const Json& limit);
  std::string (*said)(const Json& limit);
};
constexpr Limit k_limits[] = {{"minimum", [](const Json& v, const Json& l) { return v < l; },
                               [](const Json& l) { return "is below the minimum " + l.dump(); }},
                              {"exclusiveMinimum", [](const Json& v, const Json& l) { return v <= l; },
                               [](const Json& l) { return "is not above " + l.dump(); }},
                              {"maximum", [](const Json& v, const Json& l) { return v > l; },
                               [](const Json& l) { return "is above the maximum " + l.dump(); }},
                              {"exclusiveMaximum", [](const Json& v, const Json& l) { return v >= l; },
                               [](const Json& l) { return "is not below " + l.dump(); }},
                              {"minItems", [](const Json& v, const Json& l) { return v.size() < l; },
                               [](const Json& l) { return "has fewer than " + counted(l, "item", "items"); }},
                              {"maxItems", [](const Json& v, const Json& l) { return v.size() > l; },
                               [](const Json& l) { return "has more than " + counted(l, "item", "items"); }},
                              {"minProperties", [](const Json& v, const Json& l) { return v.size() < l; },
                               [](const Json& l) { return "has fewer than " + counted(l, "field", "fields"); }},
                              {"maxProperties", [](const Json& v, const Json& l) { return v.size() > l; },
                               [](const Json& l) { return "has more than " + counted(l, "field", "fields"); }},
                              {"const", [](const Json& v, const Json& l) { return v != l; },
                               [](const Json& l) { return "is not " + shown_value(l); }}};

std::string rule_of(std::string_view keyword, const Schemas& schemas, const Json& value) {
  if (keyword == "type") return type_rule(schemas, value);
  for (const Json* schema : schemas) {
    const Json* limit = find(*schema, std::string(keyword));
    if (limit == nullptr) continue;
    if (keyword == "enum" && std::find(limit->begin(), limit->end(), value) == limit->end())
      return enum_rule(*limit, value);
    for (const Limit& known : k_limits) {
      if (known.keyword == keyword && known.broken(value, *limit)) return known.said(*limit);
    }
  }
  if (keyword == "additionalItems") return "has more items than are allowed";
  if (keyword == "contains") return "has no item of the kind that must be among them";
  if (keyword == "not") return "is what it must not be (rule 'not')";
  if (keyword == "oneOf") return "matches more than one of the schemas of 'oneOf'";
  return "breaks the rule '" + std::string(keyword) + "'";
}

Problem problem_of(const Json& schema, const Json& root, const Finding& finding, std::string_view keyword) {
  const Json* value = value_at(root, finding.path);
  if (finding.sentence.starts_with(k_own_rule)) return {finding.path, value, finding.sentence.substr(1)};
  static const Json nothing;
  const Json& known = value == nullptr ? nothing : *value;
  const Schemas schemas = schemas_at(schema, root, finding.path);
  if (keyword != "required" && keyword != "dependencies" && keyword != "additionalProperties") {
    return {finding.path, value, rule_of(keyword, schemas, known)};
  }
  Problem problem{finding.path, nullptr, ""};
  const std::string name = quoted_name(finding.sentence);
  problem.path.push_back(name);
  problem.rule =
      keyword == "additionalProperties" ? unknown_field_rule(schemas, name) : missing_rule(schemas, known, name);
  if (keyword == "dependencies") problem.rule = "missing: another field that is there needs it";
  return problem;
}

std::string place(const Json& root, const Path& path, std::string_view what) {
  std::string text(what);
  const Json* at = &root;
  for (const std::string& key : path) {
    const bool plain =
        !key.empty() && !std::isdigit(static_cast<unsigned char>(key[0])) &&
        std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
    if (at != nullptr && at->is_array()) {
      text += "[" + key + "]";
    } else {
      text += plain ? "." + key : "[" + shown_value(Json(key)) + "]";
    }
    if (at != nullptr) at = value_at(*at, {key});
  }
  return text;
}

std::string pointer(const Path& path) {
  Json::json_pointer out;
  for (const std::string& key : path) out /= key;
  return out.to_string();
}

std::vector<Problem> problems_of(const Json& schema, const Json& value, const std::vector<Finding>& findings) {
  std::vector<Problem> problems;
  for (const Finding& finding : findings) {
    std::string_view keyword;
    for (const Sentence& sentence : k_sentences) {
      if (keyword.empty() && finding.sentence.starts_with(sentence.begin)) keyword = sentence.keyword;
    }
    if (keyword.empty() && !finding.sentence.starts_with(k_own_rule)) continue;
    Problem problem = problem_of(schema, value, finding, keyword);
    const auto same = [&](const Problem& p) { return p.path == problem.path && p.rule == problem.rule; };
    if (std::none_of(problems.begin(), problems.end(), same)) problems.push_back(std::move(problem));
    if (problems.size() == k_problems_max) break;
  }
  // Only parents complained: a schema `false`, or a name that breaks propertyNames. The first of them is the nearest.
  if (problems.empty()) {
    Path path = findings.empty() ? Path() : findings.front().path;
    if (!findings.empty() && findings.front().sentence.find("property name '") != std::string::npos) {
      path.push_back(quoted_name(findings.front().sentence));
    }
    problems.push_back({path, value_at(value, path), "is not allowed by the schema"});
  }
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.path.size() > b.path.size(); });
  return problems;
}

}  // namespace

Error explain(const Json& schema, const Json& value, const std::vector<Finding>& findings, std::string_view what) {
  const std::vector<Problem> problems = problems_of(schema, value, findings);
  Json list = Json::array();
  for (const Problem& problem : problems) {
    Json item = {{"path", pointer(problem.path)}, {"rule", problem.rule}};
    if (problem.value != nullptr) {
      const bool small = problem.value->is_primitive() && !problem.value->is_string();
      item["value"] = small ? *problem.value : Json(shown_value(*problem.value));
      if (problem.value->is_string() && problem.value->get_ref<const std::string&>().size() < 80)
        item["value"] = *problem.value;
    }
    list.push_back(std::move(item));
  }
  const Problem& first = problems.front();
  std::string message = place(value, first.path, what) + ": ";
  if (first.value != nullptr) message += shown_value(*first.value) + " ";
  Error error(code::k_validation, message + first.rule);
  error.data = Json{{"problems", std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  return error;
}

}  // namespace perilune::flow
