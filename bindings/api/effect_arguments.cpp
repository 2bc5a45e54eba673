// Arguments and options of effects; see effect_arguments.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/effect_arguments.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "bindings/lua/utf8_text.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/nearest.hpp"
#include "runtime/base/units.hpp"

namespace perilune::api {

using nlohmann::json;

namespace {

constexpr std::string_view k_bytes_key = "$bytes";

// A value in a message: short, and of tables only the kind.
std::string shown_value(const json& value) {
  if (value.is_object()) return value.contains(k_bytes_key) ? "a binary string" : "a table";
  if (value.is_array()) return "a list";
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 60) text = shown_text(text.substr(0, 60)) + "...";
  return text;
}

const json& no_value() {
  static const json k_null;
  return k_null;
}

// "$bytes", "$$bytes", ...: the number of marks, 0 for every other key.
size_t bytes_marks(const std::string& key) {
  const size_t marks = key.find_first_not_of('$');
  return marks != std::string::npos && marks > 0 && key.compare(marks, std::string::npos, "bytes") == 0 ? marks : 0;
}

void rename_only_key(json& object, std::string name) {
  json value = std::move(object.begin().value());
  object = json::object();
  object[std::move(name)] = std::move(value);
}

}  // namespace

EffectArguments::EffectArguments(const std::string& arguments_json, const char* call)
    : list_(std::make_unique<json>(json::parse(arguments_json, nullptr, false))), call_(call) {
  if (!list_->is_array()) fail("the arguments can't be read", code::k_internal);
}

EffectArguments::~EffectArguments() = default;

const json& EffectArguments::at(size_t place) const {
  return list_->is_array() && place <= list_->size() ? (*list_)[place - 1] : no_value();
}

std::string EffectArguments::text(size_t place, const char* what) {
  std::string out;
  if (!bytes_of(at(place), out))
    fail(std::string("the ") + what + " must be a string, not " +
         (at(place).is_null() ? std::string("nil") : shown_value(at(place))));
  return out;
}

EffectOptions EffectArguments::options(size_t place, std::span<const std::string_view> names) {
  at_most(place);
  return EffectOptions(*this, at(place), {}, names);
}

void EffectArguments::at_most(size_t count) {
  if (!list_->is_array()) return;
  for (size_t place = count + 1; place <= list_->size(); ++place) {
    if (!at(place).is_null())
      return fail("there is an argument too many (" + shown_value(at(place)) + "), it takes " + std::to_string(count));
  }
}

void EffectArguments::fail(std::string message, const char* code) {
  if (ok()) error_ = Error(code, std::string(call_) + ": " + message);
}

EffectOptions::EffectOptions(EffectArguments& arguments, const json& table, std::string where,
                             std::span<const std::string_view> names)
    : arguments_(arguments), table_(&no_value()), where_(std::move(where)) {
  if (table.is_null() || (table.is_array() && table.empty())) return;
  if (!table.is_object()) {
    arguments_.fail((where_.empty() ? "the options" : where_) + " must be a table with names, not " +
                    shown_value(table));
    return;
  }
  table_ = &table;
  for (const auto& [name, value] : table.items()) {
    bool known = false;
    for (std::string_view valid : names) known = known || valid == name;
    if (!known) arguments_.fail(unknown_name("option", name, where_, names));
  }
}

const json* EffectOptions::find(const char* name) const {
  if (!table_->is_object()) return nullptr;
  const auto found = table_->find(name);
  return found == table_->end() ? nullptr : &*found;
}

void EffectOptions::wrong(const char* name, const std::string& expected) {
  const json* value = find(name);
  arguments_.fail((where_.empty() ? "" : where_ + ": ") + "option '" + name + "' must be " + expected + ", not " +
                  (value == nullptr ? "nil" : shown_value(*value)));
}

bool EffectOptions::boolean(const char* name, bool fallback) {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return wrong(name, "true or false"), fallback;
  return value->get<bool>();
}

int64_t EffectOptions::integer(const char* name, int64_t fallback, int64_t minimum, int64_t maximum) {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  const bool good = value->is_number_integer() && value->get<int64_t>() >= minimum && value->get<int64_t>() <= maximum;
  if (good) return value->get<int64_t>();
  wrong(name, "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum));
  return fallback;
}

double EffectOptions::number(const char* name, double fallback, double minimum) {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_number() && value->get<double>() >= minimum) return value->get<double>();
  wrong(name, "a number of at least " + json(minimum).dump());
  return fallback;
}

int64_t EffectOptions::duration_us(const char* name, int64_t fallback) {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  Result<int64_t> us = Error();
  if (value->is_number()) us = duration_us_from_seconds(value->get<double>());
  if (value->is_string()) us = parse_duration_us(value->get_ref<const std::string&>());
  if (us.ok() && *us > 0) return *us;
  wrong(name, "a time above 0: a number of seconds or a text such as \"1m30s\"");
  return fallback;
}

int64_t EffectOptions::size_bytes(const char* name, int64_t fallback) {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  Result<int64_t> bytes = Error();
  if (value->is_number_integer()) bytes = value->get<int64_t>();
  if (value->is_string()) bytes = parse_size_bytes(value->get_ref<const std::string&>());
  if (bytes.ok() && *bytes > 0) return *bytes;
  wrong(name, "a size above 0: a number of bytes or a text such as \"64KiB\"");
  return fallback;
}

std::string EffectOptions::text(const char* name) {
  const json* value = find(name);
  std::string out;
  if (value != nullptr && !bytes_of(*value, out)) wrong(name, "a string");
  return out;
}

TextPairs EffectOptions::pairs(const char* name) {
  TextPairs out;
  const json* table = find(name);
  if (table == nullptr || (table->is_array() && table->empty())) return out;
  if (!table->is_object()) return wrong(name, "a table of names and texts"), out;
  const auto add = [&](const std::string& key, const json& value) {
    std::string text;
    if (text_of(value, text)) {
      out.emplace_back(key, std::move(text));
    } else {
      arguments_.fail("option '" + std::string(name) + "': '" + key + "' must be a text, a number or a boolean, not " +
                      shown_value(value));
    }
  };
  for (const auto& [key, value] : table->items()) {
    if (!value.is_array()) {
      add(key, value);
      continue;
    }
    for (const json& one : value) add(key, one);
  }
  return out;
}

EffectOptions EffectOptions::table(const char* name, std::span<const std::string_view> names) {
  const json* value = find(name);
  return EffectOptions(arguments_, value == nullptr ? no_value() : *value, "option '" + std::string(name) + "'", names);
}

bool bytes_of(const json& value, std::string& out) {
  if (value.is_string()) return out = value.get_ref<const std::string&>(), true;
  if (!value.is_object() || value.size() != 1) return false;
  const auto found = value.find(k_bytes_key);
  return found != value.end() && found->is_string() && base64_decode(found->get_ref<const std::string&>(), out);
}

bool text_of(const json& value, std::string& out) {
  if (value.is_number() || value.is_boolean()) return out = value.dump(), true;
  return bytes_of(value, out);
}

std::string quoted_json(std::string_view bytes) {
  if (!lua::is_utf8(bytes.data(), bytes.size())) return "{\"$bytes\":\"" + base64_encode(bytes) + "\"}";
  return json(bytes).dump();
}

std::string shown_text(std::string_view bytes) {
  std::string out;
  const char* const end = bytes.data() + bytes.size();
  for (const char* at = bytes.data(); at != end;) {
    const size_t length = static_cast<unsigned char>(*at) < 0x80 ? 1 : lua::utf8_sequence(at, end);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
    } else {
      out.append(at, length);
      at += length;
    }
  }
  return out;
}

bool to_outside(json& value) {
  if (!value.is_structured()) return true;
  if (value.is_object() && value.size() == 1) {
    const size_t marks = bytes_marks(value.begin().key());
    if (marks == 1) return false;
    if (marks > 1) rename_only_key(value, value.begin().key().substr(1));
  }
  for (json& item : value) {
    if (!to_outside(item)) return false;
  }
  return true;
}

void from_outside(json& value) {
  if (!value.is_structured()) return;
  for (json& item : value) from_outside(item);
  if (value.is_object() && value.size() == 1 && bytes_marks(value.begin().key()) > 0)
    rename_only_key(value, "$" + value.begin().key());
}

Result<std::string> within_limit(std::string text, size_t limit_bytes, std::string_view call) {
  if (text.size() <= limit_bytes) return text;
  return Error(code::k_limit, std::string(call) + ": the result is larger than " +
                                  format_size(static_cast<int64_t>(limit_bytes)) +
                                  ", the most that one value may have");
}

}  // namespace perilune::api
