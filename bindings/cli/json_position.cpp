// See json_position.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/json_position.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace perilune::cli {
namespace {

// The library's message without its id and position: "...parse error at line 1, column 2: WHAT".
std::string reason(const std::string& what) {
  size_t column = what.find("column ");
  size_t at = column == std::string::npos ? std::string::npos : what.find(": ", column);
  return at == std::string::npos ? what : what.substr(at + 2);
}

// What is no mistake of grammar is a number that no double holds: "...number overflow parsing '1e400'".
std::string too_large(const std::string& what) {
  size_t quote = what.find('\'');
  if (quote == std::string::npos) return "a number is too large";
  std::string number = what.substr(quote + 1, what.size() - quote - 2);
  constexpr size_t k_shown_max = 40;
  if (number.size() > k_shown_max) number = number.substr(0, k_shown_max) + "...";
  return "the number " + number + " is too large: the largest is 1.797e308";
}

}  // namespace

Result<void> check_json(std::string_view text) {
  if (nlohmann::json::accept(text)) return {};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Error(code::k_validation, "not JSON: it is empty");
  try {
    [[maybe_unused]] auto parsed = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    size_t at = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    std::string_view before = text.substr(0, at);
    size_t line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
    size_t newline = before.rfind('\n');
    size_t column = newline == std::string_view::npos ? at + 1 : at - newline;
    return Error(code::k_validation, "not JSON at line " + std::to_string(line) + ", column " + std::to_string(column) +
                                         ": " + reason(error.what()));
  } catch (const nlohmann::json::exception& error) {
    return Error(code::k_validation, too_large(error.what()));
  }
  return {};
}

}  // namespace perilune::cli
