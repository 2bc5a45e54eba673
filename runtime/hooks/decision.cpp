// Replies and decisions as JSON; see decision.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/decision.hpp"

#include <nlohmann/json.hpp>

namespace perilune::hooks {
namespace {

using nlohmann::json;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

Error refused(const PointRow& row, std::string_view said) {
  std::string text = std::string(row.name) + " takes no " + std::string(said);
  if (row.decides()) text += ": a hook there may return " + replies_text(row) + ", or nothing";
  else text += ": a hook there only sees what has happened, it returns nothing";
  return Error(code::k_usage, std::move(text));
}

// replace{...}: exactly one key, which the point has.
Result<Decision> read_replace(const PointRow& row, const json& reply) {
  Decision decision;
  size_t keys = 0;
  for (std::string_view key : {"input", "value", "error"}) {
    auto found = reply.find(key);
    if (found == reply.end()) continue;
    ++keys;
    bool allowed = false;
    for (std::string_view valid : row.replaces) allowed = allowed || valid == key;
    if (!allowed) return refused(row, "replace{" + std::string(key) + "=}");
    if (key == "error") {
      if (found->is_string()) decision.error = to_json_text(Error(code::k_step_failed, found->get<std::string>()));
      else if (found->is_object()) decision.error = to_json_text(error_from_json_text(dump(*found)));
      else return Error(code::k_usage, "replace{error=} takes a message or an error, not " + dump(*found));
    } else if (row.family == Family::decide) {
      decision.value = dump(*found);
    } else {
      decision.input = dump(*found);
    }
  }
  if (keys != 1) return refused(row, keys == 0 ? "replace{} of nothing" : "replace{} of several things");
  return decision;
}

std::string text_of(const json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string part_of(const json& object, const char* key) {
  auto found = object.find(key);
  return found == object.end() ? std::string() : dump(*found);
}

}  // namespace

Result<Decision> read_reply(Point point, std::string_view text) {
  const PointRow& row = row_of(point);
  json reply = json::parse(text, nullptr, false);
  std::optional<Reply> said;
  if (reply.is_object()) said = reply_named(text_of(reply, "result"));
  if (!said) return refused(row, "such value");
  if (!row.allows(*said)) return refused(row, std::string(reply_name(*said)));
  if (*said == Reply::replace) return read_replace(row, reply);
  Decision decision;
  decision.delay_us = reply.value("delay_us", int64_t{0});
  if (*said == Reply::delay) return decision;
  decision.final = *said;
  decision.input = part_of(reply, "input");
  decision.text = text_of(reply, "text");
  if (*said == Reply::skip || *said == Reply::resolve || *said == Reply::suppress) {
    decision.value = part_of(reply, "value");
    if (decision.value.empty()) decision.value = "null";
  }
  return decision;
}

void add(Decision& decision, Decision next) {
  if (!next.input.empty()) decision.input = std::move(next.input);
  if (!next.value.empty()) decision.value = std::move(next.value);
  if (!next.error.empty()) decision.error = std::move(next.error);
  decision.delay_us += next.delay_us;
  decision.failed = decision.failed || next.failed;
  if (next.final != Reply::none) decision.final = next.final;
  if (!next.text.empty()) decision.text = std::move(next.text);
  if (!next.by.empty() && decision.by != next.by) decision.by += (decision.by.empty() ? "" : ", ") + next.by;
}

Decision failure(const Error& error, std::string by) {
  Decision decision;
  decision.failed = true;
  decision.error = to_json_text(error);
  decision.by = std::move(by);
  return decision;
}

Error denied(const Decision& decision) {
  std::string reason = decision.text.empty() ? "a hook has denied it" : decision.text;
  Error error(code::k_denied, std::move(reason));
  error.retry = false;
  return error;
}

std::string record_data(Point point, int round, const Decision& decision) {
  json data = {{"point", row_of(point).name}, {"by", decision.by}};
  auto put = [&](const char* key, const std::string& text) {
    if (!text.empty()) data[key] = json::parse(text, nullptr, false);
  };
  if (round > 0) data["round"] = round;
  if (decision.final != Reply::none) data["result"] = reply_name(decision.final);
  if (decision.failed) data["failed"] = true;
  put("value", decision.value);
  put("input", decision.input);
  put("error", decision.error);
  if (!decision.text.empty()) data["text"] = decision.text;
  if (decision.delay_us != 0) data["delay_us"] = decision.delay_us;
  return dump(data);
}

bool escalated(std::string_view data) { return data.substr(0, data.find("\"error\":")).find("\"escalate\":true") != data.npos; }

std::string skipped_by(std::string_view text) {
  json data = json::parse(text, nullptr, false);
  std::string by = data.is_object() ? text_of(data, "by") : std::string();
  return by.empty() ? "when" : by;
}

std::optional<Decision> decision_in(std::string_view text, Point point, int round) {
  json data = json::parse(text, nullptr, false);
  if (!data.is_object() || text_of(data, "point") != row_of(point).name) return std::nullopt;
  if (round != k_any_round && data.value("round", 0) != round) return std::nullopt;
  Decision decision;
  decision.final = reply_named(text_of(data, "result")).value_or(Reply::none);
  decision.failed = data.value("failed", false);
  decision.value = part_of(data, "value");
  decision.input = part_of(data, "input");
  decision.error = part_of(data, "error");
  decision.text = text_of(data, "text");
  decision.delay_us = data.value("delay_us", int64_t{0});
  decision.by = text_of(data, "by");
  decision.round = data.value("round", 0);
  return decision;
}

}  // namespace perilune::hooks
