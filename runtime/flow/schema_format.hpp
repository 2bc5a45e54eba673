// The parts of a schema that look into a text: formats and patterns.
// Patterns are ECMAScript without back-references. A match takes time and memory that grow with the text and no faster,
// whatever the pattern; texts over 64 KiB are not matched at all.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace perilune::flow {

inline constexpr size_t k_pattern_text_max = 64 * 1024;

// What is wrong with the name of a format or with a pattern, for people ("unknown format ..."), or "".
std::string trouble_with_format(std::string_view format);
std::string trouble_with_pattern(const std::string& pattern);

// What is wrong with `text` as a `format` ("is not a duration such as '5s' or '1h30m'"), or "". Formats of the standard
// that say nothing about a workflow ("email", "hostname", ...) are notes for people and let everything pass.
std::string trouble_with_text(std::string_view format, std::string_view text);

// A compiled pattern; it may be shared between threads.
class Pattern {
 public:
  explicit Pattern(const std::string& text);  // trouble_with_pattern(text) is ""
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  const std::string& text() const { return text_; }
  bool found_in(std::string_view text) const;  // at most k_pattern_text_max bytes

 private:
  struct Compiled;
  std::string text_;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace perilune::flow
