// Folding and writing of the state's records; see state_records.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/state_records.hpp"

#include "runtime/base/json_members.hpp"
#include "runtime/flow/loop.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;

std::string changes_json(const StateMap& changes) {
  std::string set, removed;
  for (const auto& [key, text] : changes) {
    std::string& list = text == nullptr ? removed : set;
    if (!list.empty()) list += ',';
    list += json_string(key);
    if (text != nullptr) list.append(":").append(*text);
  }
  std::string json = "{\"set\":{" + set + "}";
  if (!removed.empty()) json += ",\"removed\":[" + removed + "]";
  return json + "}";
}

StateMap read_changes(std::string_view json) {
  StateMap changes;
  each_member(json, [&](const std::string& part, std::string_view content) {
    if (part == "set")
      each_member(content, [&](std::string key, std::string_view value) {
        changes[std::move(key)] = std::make_shared<const std::string>(value);
      });
    if (part == "removed")   // as an object of one key each, to read the string
      each_item(content, [&](std::string_view key) {
        each_member("{" + std::string(key) + ":0}", [&](std::string name, std::string_view) { changes[std::move(name)] = nullptr; });
      });
  });
  return changes;
}

void apply_state(const Record& record, StateMap& known) {
  StateMap changes;
  if (record.kind == Kind::state_changed) {
    changes = read_changes(record.data);
  } else if (record.kind == Kind::loop_snapshot || record.kind == Kind::loop_done) {
    std::string whole = state_in_snapshot(record);
    if (whole.empty()) return;
    known.clear();
    changes = read_changes(whole);
  }
  for (auto& [key, text] : changes) {
    if (text == nullptr) known.erase(key);
    else known[key] = std::move(text);
  }
}

std::string state_json(const StateMap& state) {
  std::string json = "{";
  for (const auto& [key, text] : state) {
    if (json.size() > 1) json += ',';
    json.append(json_string(key)).append(":").append(*text);
  }
  return json + "}";
}

std::string state_after(const std::vector<Record>& living) {
  StateMap state;
  for (const Record& record : living) apply_state(record, state);
  return state_json(state);
}

std::string PublishedState::publish(StateView& view) {
  StateMap changes;
  auto look = [&](const std::string& key) {
    auto found = known_.find(key);
    StateText was = found == known_.end() ? nullptr : found->second, is = view.find(key);
    if (!same_text(was, is)) changes[key] = is;
  };
  std::set<std::string, std::less<>> news = view.take_news();
  if (!compared_) {
    for (const auto& [key, text] : known_) look(key);
    for (const auto& [key, text] : *view.all()) look(key);
    compared_ = true;
  } else {
    for (const std::string& key : news) look(key);
  }
  if (changes.empty()) return {};
  for (const auto& [key, text] : changes) {
    if (text == nullptr) known_.erase(key);
    else known_[key] = text;
  }
  return changes_json(changes);
}

}  // namespace perilune::flow
