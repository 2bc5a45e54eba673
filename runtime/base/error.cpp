// Errors as text: one line for people, one JSON object for the journal.
// The JSON object has the fields code message step attempt data traceback retry retry_after cause suppressed; empty
// ones are left out. Nesting is bounded both ways, since a journal may hold what a script has built.
// SPDX-License-Identifier: MIT
#include "runtime/base/error.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/base/json_nesting.hpp"

namespace perilune {
namespace {

using Json = nlohmann::json;

constexpr int k_error_depth_max = 32;  // errors within errors: what lies deeper is left out
constexpr int k_data_depth_max = 100;  // deeper data is kept as a string

// What is not JSON, or is nested too deeply, is `discarded`.
Json parse(std::string_view text, int depth_max) {
  if (json_nesting(text) > depth_max) return Json(Json::value_t::discarded);
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json to_json(const Error& error, int depth) {
  Json json = {{"code", error.code}, {"message", error.message}};
  if (!error.step.empty()) json["step"] = error.step;
  if (error.attempt != 0) json["attempt"] = error.attempt;
  if (!error.data.empty()) {
    Json data = parse(error.data, k_data_depth_max);
    json["data"] = data.is_discarded() ? Json(error.data) : std::move(data);
  }
  if (!error.traceback.empty()) json["traceback"] = error.traceback;
  if (!error.retry) json["retry"] = false;
  if (error.retry_after_s >= 0 && std::isfinite(error.retry_after_s)) json["retry_after"] = error.retry_after_s;
  if (depth == k_error_depth_max) return json;
  if (error.cause) json["cause"] = to_json(*error.cause, depth + 1);
  for (const Error& suppressed : error.suppressed) json["suppressed"].push_back(to_json(suppressed, depth + 1));
  return json;
}

void read_text(const Json& json, const char* key, std::string& out) {
  const auto found = json.find(key);
  if (found != json.end() && found->is_string()) out = found->get<std::string>();
}

bool is_error_object(const Json& json) {
  const auto has_text = [&](const char* key) { return json.contains(key) && json[key].is_string(); };
  return json.is_object() && (has_text("code") || has_text("message"));
}

Error from_json(const Json& json) {
  Error error;
  if (!is_error_object(json)) return {code::k_internal, json.is_string() ? json.get<std::string>() : dump(json)};
  error.code = code::k_internal;
  read_text(json, "code", error.code);
  read_text(json, "message", error.message);
  read_text(json, "step", error.step);
  read_text(json, "traceback", error.traceback);
  const auto field = [&](const char* key) { return json.contains(key) ? json[key] : Json(); };
  if (const Json data = field("data"); json.contains("data")) error.data = dump(data);
  if (const Json attempt = field("attempt"); attempt.is_number_integer()) {
    error.attempt = static_cast<int>(std::clamp<int64_t>(attempt.get<int64_t>(), 0, INT_MAX));
  }
  if (const Json retry = field("retry"); retry.is_boolean()) error.retry = retry.get<bool>();
  if (const Json after = field("retry_after"); after.is_number()) error.retry_after_s = after.get<double>();
  if (const Json cause = field("cause"); !cause.is_null())
    error.cause = std::make_shared<const Error>(from_json(cause));
  if (const Json list = field("suppressed"); list.is_array()) {
    for (const Json& suppressed : list) error.suppressed.push_back(from_json(suppressed));
  }
  return error;
}

}  // namespace

std::string one_line(const Error& error) {
  std::string text = error.code;
  if (!error.message.empty()) text += (text.empty() ? "" : ": ") + error.message;
  std::string place = error.step.empty() ? "" : "step '" + error.step + "'";
  if (error.attempt > 0) place += (place.empty() ? "attempt " : ", attempt ") + std::to_string(error.attempt);
  if (!place.empty()) text += " (" + place + ")";
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string to_json_text(const Error& error) { return dump(to_json(error, 0)); }

Error error_from_json_text(std::string_view text) {
  const Json json = parse(text, k_json_nesting_max);
  if (json.is_discarded()) return {code::k_internal, text.empty() ? "no error was recorded" : std::string(text)};
  if (!is_error_object(json) && !json.is_string()) return {code::k_internal, std::string(text)};
  return from_json(json);
}

bool never_retried(std::string_view code) {
  static constexpr std::string_view k_final[] = {
      code::k_validation,      code::k_denied,   code::k_cancelled, code::k_budget, code::k_memory,  code::k_limit,
      code::k_unknown_outcome, code::k_diverged, code::k_usage,     code::k_syntax, code::k_deadlock, code::k_gate};
  return std::find(std::begin(k_final), std::end(k_final), code) != std::end(k_final);
}

}  // namespace perilune
