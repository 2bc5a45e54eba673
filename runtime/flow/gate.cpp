// Verdicts as records; see gate.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/gate.hpp"

#include <nlohmann/json.hpp>

namespace perilune::flow {

using nlohmann::json;

std::string gate_data(const char* gate, const Error* failure) {
  std::string text = std::string("{\"gate\":\"") + gate + "\",\"held\":" + (failure == nullptr ? "true" : "false");
  if (failure != nullptr)
    text += ",\"message\":" + json(failure->message).dump(-1, ' ', false, json::error_handler_t::replace);
  return text + "}";
}

journal::Record run_gate(const char* gate, const Error* failure) {
  journal::Record record;
  record.kind = journal::Kind::gate;
  record.name = gate;
  record.data = gate_data(gate, failure);
  return record;
}

journal::Record rule_tally(const std::string& rule, int64_t checked, int64_t broken, const std::string& message) {
  journal::Record record;
  record.kind = journal::Kind::gate;
  record.name = rule;
  json data = {{"gate", k_gate_rule}, {"held", broken == 0}, {"checked", checked}, {"broken", broken}};
  if (broken > 0) data["message"] = message;
  record.data = data.dump(-1, ' ', false, json::error_handler_t::replace);
  return record;
}

std::optional<Verdict> verdict_of(const journal::Record& record) {
  if (record.kind != journal::Kind::gate) return std::nullopt;
  Verdict verdict;
  json data = json::parse(record.data, nullptr, false);
  if (!data.is_object()) return verdict;
  verdict.gate = data.value("gate", "");
  verdict.held = data.value("held", true);
  verdict.message = data.value("message", "");
  verdict.checked = data.value("checked", int64_t{0});
  verdict.broken = data.value("broken", int64_t{0});
  return verdict;
}

}  // namespace perilune::flow
