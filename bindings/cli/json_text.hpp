// Writes JSON as text, member by member, so that a recorded value goes out as it was recorded: no number is rounded and
// no key is moved. Uses nothing but the standard library.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perilune::cli {

// A quoted JSON string. What is not UTF-8 becomes U+FFFD; control characters, DEL and C1 among them, are escaped.
std::string json_quoted(std::string_view text);
// The same value with line ends and indentation, for people.
std::string json_pretty(std::string_view json);

class JsonText {
 public:
  JsonText& open_object() { return open('{'); }
  JsonText& close_object() { return close('}'); }
  JsonText& open_array() { return open('['); }
  JsonText& close_array() { return close(']'); }
  JsonText& key(std::string_view name);
  JsonText& text(std::string_view value);
  JsonText& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
  JsonText& number(int64_t value);
  JsonText& boolean(bool value);
  JsonText& null();
  // JSON as it is; empty = null. recorded() looks at it first: what is no JSON (a damaged record) is written as a
  // string.
  JsonText& raw(std::string_view json);
  JsonText& recorded(std::string_view json);

  const std::string& str() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  void separate();

  std::string text_;
  bool first_ = true;  // nothing stands yet at this place of an object or array
};

}  // namespace perilune::cli
