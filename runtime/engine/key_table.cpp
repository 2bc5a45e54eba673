// See key_table.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/key_table.hpp"

#include <cstdio>

#include "runtime/base/json_members.hpp"

namespace perilune::engine {

namespace {
std::string seconds(int64_t us) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(us) / 1e6);
  return text;
}
}  // namespace

using store::Entry;
using store::EntryWrite;

Result<std::optional<std::string>> KeyTable::value(const std::string& space, const std::string& key) {
  const int64_t now_us = wall_us_();
  if (auto found = pending_.find({space, key}); found != pending_.end()) {
    const EntryWrite& write = found->second.write;
    return store::has_expired(write.expires_us, now_us) ? std::optional<std::string>() : write.value;
  }
  Result<std::optional<Entry>> entry = reader_().entry(space, key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value() || store::has_expired((*entry)->expires_us, now_us)) return std::optional<std::string>();
  return std::optional<std::string>(std::move((*entry)->value));
}

Result<std::vector<Entry>> KeyTable::entries(const store::EntryQuery& asked) {
  store::EntryQuery query = asked;
  query.now_us = wall_us_();
  std::map<std::string, const EntryWrite*> changed;
  for (auto at = pending_.lower_bound({query.space, query.prefix}); at != pending_.end(); ++at) {
    if (at->first.first != query.space || !at->first.second.starts_with(query.prefix)) break;
    changed[at->first.second] = &at->second.write;
  }
  if (query.limit > 0) query.limit += static_cast<int64_t>(changed.size());
  Result<std::vector<Entry>> stand = reader_().entries(query);
  if (!stand.ok() || changed.empty()) return stand;
  std::map<std::string, Entry> all;
  for (Entry& entry : *stand) all[entry.key] = std::move(entry);
  for (const auto& [key, write] : changed) {
    all.erase(key);
    if (write->value && !store::has_expired(write->expires_us, query.now_us)) all[key] = {key, *write->value, write->expires_us};
  }
  std::vector<Entry> entries;
  for (auto& [key, entry] : all) {
    if (asked.limit > 0 && entries.size() == static_cast<size_t>(asked.limit)) break;
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::string> KeyTable::runs_of(const std::string& session, bool errors) {
  store::Filter filter;
  filter.session = session;
  auto rows = reader_().list(filter);
  if (!rows.ok()) return rows.error();
  std::string runs;
  for (const store::RunRow& row : *rows) {
    if (errors && row.error.empty()) continue;
    runs += runs.empty() ? "{" : ",{";
    runs += "\"run\":" + json_string(row.id) + ",\"workflow\":" + json_string(row.workflow) + ",\"status\":\"" +
            std::string(store::status_name(row.status)) + "\"";
    runs += ",\"" + std::string(errors ? "at" : "started_at") + "\":" + seconds(errors ? row.updated_us : row.created_us);
    if (errors) runs += ",\"error\":" + row.error;
    else if (!row.output.empty()) runs += ",\"output\":" + row.output;
    runs += "}";
  }
  return "[" + runs + "]";
}

std::function<void()> KeyTable::handed_over(const std::vector<EntryWrite>& writes) {
  const uint64_t number = ++handed_over_;
  std::vector<std::pair<std::string, std::string>> keys;
  for (const EntryWrite& write : writes) {
    keys.emplace_back(write.space, write.key);
    pending_[keys.back()] = {write, number};
  }
  return [this, number, keys = std::move(keys)] {
    for (const auto& key : keys)
      if (auto found = pending_.find(key); found != pending_.end() && found->second.number == number) pending_.erase(found);
  };
}

}  // namespace perilune::engine
