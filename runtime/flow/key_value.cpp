// See key_value.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/key_value.hpp"

#include <algorithm>

#include "runtime/base/json_members.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using store::EntryWrite;

namespace {

constexpr const char* k_versions = ".versions";   // the space of the versions of spaces

uint64_t fingerprint_of(const KeyCall& call) {
  return fingerprint({call.space, call.key, call.old.value_or(""), call.value.value_or(""), std::to_string(call.ttl_us),
                      std::to_string(call.limit), std::to_string(call.version)});
}

}  // namespace

KeyOperation::KeyOperation(Execution& execution, KeyValues& values, KeyCall call)
    : Durable(execution, call.name, fingerprint_of(call)), values_(values), call_(std::move(call)) {}

void KeyOperation::start() {
  std::vector<EntryWrite> writes;
  Result<std::string> result = run(writes);
  if (!result.ok()) return record(Kind::step_failed, journal::with_error({}, to_json_text(result.error())));
  std::string data = journal::with_value({}, *result);
  if (writes.empty()) return record(Kind::step_done, std::move(data));
  record_with(Kind::step_done, std::move(data), values_, std::move(writes));
}

EntryWrite KeyOperation::write(std::string key, std::optional<std::string> value) const {
  EntryWrite write{call_.space, std::move(key), std::move(value), 0};
  if (call_.ttl_us > 0) write.expires_us = execution_.loop().clock().wall_us() + call_.ttl_us;
  return write;
}

Result<std::string> KeyOperation::run(std::vector<EntryWrite>& writes) {
  switch (call_.act) {
    case KeyCall::Act::list:
      return list();
    case KeyCall::Act::migrate:
      return migrate(writes);
    case KeyCall::Act::cas:
      return cas(writes);
    case KeyCall::Act::runs:
    case KeyCall::Act::errors:
      return values_.runs_of(call_.space, call_.act == KeyCall::Act::errors);
    case KeyCall::Act::set:
      writes.push_back(write(call_.key, call_.value));
      return std::string("null");
    case KeyCall::Act::get:
    case KeyCall::Act::remove:
      break;
  }
  Result<std::optional<std::string>> stands = values_.value(call_.space, call_.key);
  if (!stands.ok()) return stands.error();
  if (call_.act == KeyCall::Act::get) return std::string(stands->value_or("null"));
  if (!stands->has_value()) return std::string("false");
  writes.push_back(write(call_.key, {}));
  return std::string("true");
}

Result<std::string> KeyOperation::list() {
  auto entries = values_.entries({call_.space, call_.key, call_.limit, 0});
  if (!entries.ok()) return entries.error();
  std::string keys;
  for (const store::Entry& entry : *entries) keys.append(keys.empty() ? "" : ",").append(json_string(entry.key));
  return "[" + keys + "]";
}

Result<std::string> KeyOperation::cas(std::vector<EntryWrite>& writes) {
  Result<std::optional<std::string>> stands = values_.value(call_.space, call_.key);
  if (!stands.ok()) return stands.error();
  if (*stands != call_.old) return std::string("false");
  if (call_.value || call_.old) writes.push_back(write(call_.key, call_.value));
  return std::string("true");
}

// All values of the space come to the version in one commit, with the version itself.
Result<std::string> KeyOperation::migrate(std::vector<EntryWrite>& writes) {
  Result<std::optional<std::string>> known = values_.value(k_versions, call_.space);
  if (!known.ok()) return known.error();
  const int64_t from = known->has_value() ? std::strtoll((*known)->c_str(), nullptr, 10) : 1;
  if (from >= call_.version) return std::to_string(from);
  auto entries = values_.entries({call_.space, "", 0, 0});
  if (!entries.ok()) return entries.error();
  for (const store::Entry& entry : *entries) {
    std::string value = entry.value;
    for (int64_t version = from + 1; version <= call_.version && !value.empty(); ++version) {
      if (std::find(call_.steps.begin(), call_.steps.end(), version) == call_.steps.end()) continue;
      Result<std::string> next = call_.step(version, entry.key, value);
      if (!next.ok()) return next.error();
      value = std::move(*next);
    }
    if (value == entry.value) continue;
    writes.push_back({call_.space, entry.key, value.empty() ? std::optional<std::string>() : std::move(value), entry.expires_us});
  }
  writes.push_back({k_versions, call_.space, std::to_string(call_.version), 0});
  return std::to_string(call_.version);
}

}  // namespace perilune::flow
