// Reading the arguments of an effect, which arrive as a JSON array, and writing bytes as JSON for scripts.
// Promises: nothing that is wrong is passed over: the first mistake is kept, names the call and the option, and says
// what would be right; readers give a harmless value after it, so that a module reads all it wants and asks ok() once.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace perilune::api {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

class EffectOptions;

class EffectArguments {
 public:
  // `call` ("file.read") stands in the messages and must outlive this.
  EffectArguments(const std::string& arguments_json, const char* call);
  ~EffectArguments();

  // Null when the place (from 1) is empty.
  const nlohmann::json& at(size_t place) const;
  // A string argument; `what` is its name in the message.
  std::string text(size_t place, const char* what);
  // The table of options at `place`, the last argument that there may be. Keys that are not in `names` are mistakes.
  EffectOptions options(size_t place, std::span<const std::string_view> names);
  // No argument after the first `count`.
  void at_most(size_t count);

  const char* call() const { return call_; }
  void fail(std::string message, const char* code = code::k_usage);
  bool ok() const { return error_.code.empty(); }
  Error take_error() { return std::move(error_); }

 private:
  std::unique_ptr<nlohmann::json> list_;
  const char* call_;
  Error error_;
};

class EffectOptions {
 public:
  // `place` ("option 'auth'") stands in messages; `table` is an object, or null for no options.
  EffectOptions(EffectArguments& arguments, const nlohmann::json& table, std::string where,
                std::span<const std::string_view> names);

  const nlohmann::json* find(const char* name) const;  // null when absent
  bool has(const char* name) const { return find(name) != nullptr; }
  bool boolean(const char* name, bool fallback);
  int64_t integer(const char* name, int64_t fallback, int64_t minimum, int64_t maximum);
  double number(const char* name, double fallback, double minimum);
  int64_t duration_us(const char* name, int64_t fallback);  // above 0 when given
  int64_t size_bytes(const char* name, int64_t fallback);   // above 0 when given
  std::string text(const char* name);                       // empty when absent; may be bytes
  // A table of names and texts, numbers or booleans, sorted by name; a list of values stands for a name given many
  // times.
  TextPairs pairs(const char* name);
  // A table with names of its own.
  EffectOptions table(const char* name, std::span<const std::string_view> names);
  void wrong(const char* name, const std::string& expected);

 private:
  EffectArguments& arguments_;
  const nlohmann::json* table_;
  std::string where_;
};

// The bytes of a JSON string, or of {"$bytes": base64}. False for anything else.
bool bytes_of(const nlohmann::json& value, std::string& out);
// As bytes_of, and numbers and booleans as scripts write them.
bool text_of(const nlohmann::json& value, std::string& out);
// The JSON text of a string: quoted, or {"$bytes": ...} when it is not UTF-8.
std::string quoted_json(std::string_view bytes);
// For logs and messages: what is not UTF-8 becomes U+FFFD.
std::string shown_text(std::string_view bytes);

// JSON for the world outside, from a value as scripts save it: "$$bytes" keys lose their mark. False when it holds a
// string that is not UTF-8, which JSON has no place for.
bool to_outside(nlohmann::json& value);
// The other way: a "$bytes" key from outside is marked as somebody's own.
void from_outside(nlohmann::json& value);

// The result of an effect, or the error "limit" when it is longer than one value may be.
Result<std::string> within_limit(std::string json, size_t limit_bytes, std::string_view call);

}  // namespace perilune::api
