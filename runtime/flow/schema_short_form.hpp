// Reads a schema in either form (schema.hpp says which) and writes it as a plain JSON Schema, draft-07.
// Every keyword is checked on the way, so that what comes out holds no nonsense: types and formats are known, keywords
// have values of the right kind, references end at a schema, and none leads back to itself without going deeper.
// The types "any" and "artifact" are replaced by what they stand for. schema_keywords.cpp does the full form,
// schema_short_form.cpp the short one and the references.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace perilune::flow {

Result<nlohmann::json> full_schema(const nlohmann::json& schema, std::string_view what);

// "an integer", "a string", ...: for messages, and with " or " for a list of types.
std::string with_article(std::string_view type);
// Whether `value` is of the JSON Schema type; a float without a fraction is an integer.
bool is_of_type(const nlohmann::json& value, std::string_view type);
// A value in a message: its JSON, shortened to 80 characters.
std::string shown_value(const nlohmann::json& value);

// One reading. The first error ends it; what is returned after that means nothing.
class SchemaReader {
 public:
  // Where we are: `place` for people ("input.sku"), `pointer` in the JSON Schema that is written ("/properties/sku").
  struct At {
    std::string place;
    std::string pointer;
  };

  nlohmann::json either_form(const nlohmann::json& node, const At& at);
  void check_references();
  const std::optional<Error>& error() const { return error_; }

 private:
  // A field of an object: its schema, and what it says about being there.
  enum class Presence { k_unsaid, k_optional, k_required };

  nlohmann::json short_object(const nlohmann::json& node, const At& at);
  nlohmann::json field(const nlohmann::json& node, const At& at, bool is_short, Presence& presence);
  // `node` where JSON Schema wants a schema: true, false, an object, or (beyond the standard) the name of a type.
  nlohmann::json full_form(const nlohmann::json& node, const At& at, bool* optional = nullptr);
  nlohmann::json type_name(const std::string& text, const At& at, bool* optional);
  nlohmann::json keyword_value(const std::string& name, const nlohmann::json& value, const At& at);
  nlohmann::json schema_list(const std::string& name, const nlohmann::json& value, const At& at);
  nlohmann::json schema_map(const std::string& name, const nlohmann::json& value, const At& at);
  nlohmann::json items(const nlohmann::json& value, const At& at);
  nlohmann::json dependencies(const nlohmann::json& value, const At& at);
  void properties(const nlohmann::json& value, const At& at, nlohmann::json& out);
  void set_type(const nlohmann::json& type, const At& at, nlohmann::json& out, bool* optional);
  void add_reference(const nlohmann::json& ref, const At& at, bool alone, nlohmann::json& out);
  void check_default(const nlohmann::json& out, const At& at);
  void unknown_keyword(const std::string& name, const At& at);
  bool leads_back(const std::string& pointer, std::map<std::string, int>& state) const;
  void fail(const At& at, const std::string& message);
  void same_value(const At& at, const std::string& pointer) { same_value_[at.pointer].push_back(pointer); }

  struct Reference {
    At at;
    std::string target;
  };
  std::optional<Error> error_;
  std::set<std::string> schemas_;  // pointers of all schemas that were read
  std::vector<Reference> references_;
  std::map<std::string, std::vector<std::string>> same_value_;  // schema -> schemas that see the very same value
};

}  // namespace perilune::flow
