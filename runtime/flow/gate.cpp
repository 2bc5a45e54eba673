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

std::optional<Verdict> verdict_of(const journal::Record& record) {
  if (record.kind != journal::Kind::gate) return std::nullopt;
  Verdict verdict;
  json data = json::parse(record.data, nullptr, false);
  if (!data.is_object()) return verdict;
  verdict.gate = data.value("gate", "");
  verdict.held = data.value("held", true);
  verdict.message = data.value("message", "");
  return verdict;
}

}  // namespace perilune::flow
