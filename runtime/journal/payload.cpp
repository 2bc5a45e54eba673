// Writing and cutting of outcome data. The marker cannot occur before the payload: only numbers and the members that this
// file and its callers write stand there.
// SPDX-License-Identifier: MIT
#include "runtime/journal/payload.hpp"

#include <algorithm>
#include <charconv>

namespace perilune::journal {
namespace {

constexpr std::string_view k_value = "\"value\":";
constexpr std::string_view k_error = "\"error\":";

std::string build(const Meta& meta, std::string_view marker, std::string_view payload) {
  std::string text;
  text.reserve(payload.size() + meta.extra.size() + 64);
  text += '{';
  if (meta.started_us != 0) text.append("\"started\":").append(std::to_string(meta.started_us)) += ',';
  if (meta.attempt != 0) text.append("\"attempt\":").append(std::to_string(meta.attempt)) += ',';
  if (!meta.extra.empty()) text.append(meta.extra) += ',';
  text.append(marker);
  text.append(payload.empty() ? "null" : payload);
  text += '}';
  return text;
}

std::string_view cut(std::string_view data, std::string_view marker) {
  size_t at = data.find(marker);
  if (at == std::string_view::npos || data.back() != '}') return {};
  at += marker.size();
  return data.substr(at, data.size() - 1 - at);
}

}  // namespace

std::string with_value(const Meta& meta, std::string_view value_json) { return build(meta, k_value, value_json); }
std::string with_error(const Meta& meta, std::string_view error_json) { return build(meta, k_error, error_json); }
std::string_view value_of(std::string_view data) { return cut(data, k_value); }
std::string_view error_of(std::string_view data) { return cut(data, k_error); }
bool holds_error(std::string_view data) { return data.find(k_error) < data.find(k_value); }

int64_t number_of(std::string_view data, std::string_view name) {
  data = data.substr(0, std::min(data.find(k_value), data.find(k_error)));   // the payload may have such a member too
  std::string member = "\"" + std::string(name) + "\":";
  size_t at = data.find(member);
  if (at == std::string_view::npos) return 0;
  at += member.size();
  int64_t number = 0;
  std::from_chars(data.data() + at, data.data() + data.size(), number);
  return number;
}

}  // namespace perilune::journal
