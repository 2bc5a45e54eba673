// See generations.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/journal/generations.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace perilune::journal {

using nlohmann::json;

namespace {

constexpr const char* k_rollback = "rollback";

bool may_rewind(const Record& record) {
  return record.op == 0 && (record.kind == Kind::operator_act || record.kind == Kind::rollback);
}

bool outlives(const Record& record) {
  return record.kind == Kind::operator_act || record.kind == Kind::signal || record.kind == Kind::module_added;
}

// Of an operation that starts afresh only what its body told of its progress stays.
bool is_attempt(const Record& record) {
  return record.kind == Kind::attempt_failed || record.kind == Kind::intent || record.kind == Kind::step_started;
}

void take_back(const Rewind& rewind, std::vector<Record>& living) {
  std::erase_if(living, [&](const Record& record) {
    if (record.seq > rewind.keep) return !outlives(record);
    return rewind.op != 0 && record.op == rewind.op && record.task == rewind.task && is_attempt(record);
  });
}

}  // namespace

std::string rewind_members(const Rewind& rewind) {
  std::string text = "\"keep\":" + std::to_string(rewind.keep) + ",\"generation\":" + std::to_string(rewind.generation);
  if (rewind.op != 0) text += ",\"again\":{\"task\":" + json(rewind.task).dump() + ",\"op\":" + std::to_string(rewind.op) + "}";
  return rewind.undone ? text + ",\"undone\":true" : text;
}

std::optional<Rewind> rewind_of(const Record& record) {
  if (!may_rewind(record)) return std::nullopt;
  json data = json::parse(record.data, nullptr, false);
  if (!data.is_object() || !data.contains("keep") || !data["keep"].is_number_unsigned()) return std::nullopt;
  Rewind rewind;
  rewind.keep = data["keep"].get<uint64_t>();
  rewind.generation = data.value("generation", uint32_t{0});
  rewind.undone = data.value("undone", false);
  if (auto again = data.find("again"); again != data.end() && again->is_object()) {
    rewind.task = again->value("task", "");
    rewind.op = again->value("op", uint32_t{0});
  }
  return rewind;
}

std::string operator_of(const Record& record) {
  json data = json::parse(record.data, nullptr, false);
  return data.is_object() && data.contains("by") && data["by"].is_string() ? data["by"].get<std::string>() : std::string();
}

std::vector<Record> living(std::vector<Record> records) {
  auto is_rewind = [](const Record& record) { return rewind_of(record).has_value(); };
  auto first = std::find_if(records.begin(), records.end(), is_rewind);
  if (first == records.end()) return records;
  std::vector<Record> rest(std::make_move_iterator(first), std::make_move_iterator(records.end()));
  records.erase(first, records.end());
  for (Record& record : rest) {
    if (std::optional<Rewind> rewind = rewind_of(record)) take_back(*rewind, records);
    records.push_back(std::move(record));
  }
  return records;
}

std::optional<OpenRollback> open_rollback(const std::vector<Record>& living) {
  for (auto record = living.rbegin(); record != living.rend(); ++record) {
    if (record->kind == Kind::run_done) return std::nullopt;
    if (record->kind == Kind::rollback && record->op == 0) return std::nullopt;
    if (record->kind != Kind::operator_act || record->name != k_rollback) continue;
    json data = json::parse(record->data, nullptr, false);
    if (!data.is_object()) return std::nullopt;
    return OpenRollback{record->seq, data.value("checkpoint", uint64_t{0}), data.value("to", ""), data.value("by", "")};
  }
  return std::nullopt;
}

}  // namespace perilune::journal
