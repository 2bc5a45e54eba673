// Views and their merging; see state_view.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/state_view.hpp"

#include <atomic>
#include <utility>

namespace perilune::flow {

bool same_text(const StateText& a, const StateText& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

namespace {
std::atomic<uint64_t> views_made{0};
}

StateView::StateView(StateMapRef origin) : origin_(origin), base_(std::move(origin)), id_(++views_made) {}

StateView& StateView::of(task::Task& task) {
  if (task.view == nullptr) task.view = std::make_unique<StateView>();
  return static_cast<StateView&>(*task.view);
}

std::unique_ptr<task::Attachment> StateView::branch() {
  (void)settle();   // what can't be written is the task's own trouble
  return std::make_unique<StateView>(all());
}

StateText StateView::find(std::string_view key) const {
  if (auto found = over_.find(key); found != over_.end()) return found->second;
  auto found = base_->find(key);
  return found == base_->end() ? nullptr : found->second;
}

StateMapRef StateView::all() {
  if (over_.empty()) return base_;
  auto merged = std::make_shared<StateMap>(*base_);
  for (auto& [key, text] : over_) {
    if (text == nullptr) merged->erase(key);
    else (*merged)[key] = std::move(text);
  }
  over_.clear();
  return base_ = std::move(merged);
}

void StateView::write(std::string_view key, StateText text) {
  written_.emplace(key);
  news_.emplace(key);
  if (auto found = over_.find(key); found != over_.end()) found->second = std::move(text);
  else over_.emplace(std::string(key), std::move(text));
}

void StateView::set(std::string_view key, StateText text) {
  if (auto found = touched_.find(key); found != touched_.end()) touched_.erase(found);
  write(key, std::move(text));
}

Result<void> StateView::settle() {
  if (touched_.empty()) return {};
  return tables_->write_back(*this);
}

void StateView::put(std::string_view key, StateText text) {
  if (tables_ != nullptr) stale_.emplace_back(key);
  set(key, std::move(text));
}

void StateView::restore(const StateMapRef& then) {
  StateMapRef now = all();
  for (const auto& [key, text] : *now)
    if (then->find(key) == then->end()) put(key, nullptr);
  for (const auto& [key, text] : *then) {
    auto found = now->find(key);
    if (found == now->end() || !same_text(found->second, text) || touched_.count(key) != 0) put(key, text);
  }
}

StateMap StateView::changes() const {
  StateMap changes;
  for (const std::string& key : written_) {
    auto found = origin_->find(key);
    StateText was = found == origin_->end() ? nullptr : found->second, is = find(key);
    if (!same_text(was, is)) changes.emplace(key, std::move(is));
  }
  return changes;
}

void StateView::set_changes(const StateMap& changes) {
  auto then = std::make_shared<StateMap>(*origin_);
  for (const auto& [key, text] : changes) {
    if (text == nullptr) then->erase(key);
    else (*then)[key] = text;
  }
  restore(then);
}

namespace {

constexpr size_t k_shown_bytes_max = 80;

std::string shown(const StateText& text) {
  if (text == nullptr) return "nothing";
  return text->size() <= k_shown_bytes_max ? *text : text->substr(0, k_shown_bytes_max) + "...";
}

Error conflict(const std::string& key, const StateText& ours, const StateText& theirs) {
  return Error(code::k_conflict, "state." + key + " was set by two branches, to " + shown(ours) + " and to " + shown(theirs) +
                                     ": return the values and set it behind the join, or say how they become one with "
                                     "merge = \"last\" or merge = function(key, a, b)");
}

Result<StateText> decide(const MergeRule& rule, const std::string& key, const StateText& ours, const StateText& theirs) {
  if (rule.kind == MergeRule::Kind::last) return theirs;
  if (rule.kind == MergeRule::Kind::error) return conflict(key, ours, theirs);
  Result<std::string> merged = rule.ask(key, ours, theirs);
  if (!merged.ok()) return merged.error();
  return merged->empty() ? StateText() : std::make_shared<const std::string>(std::move(*merged));
}

}  // namespace

Result<void> merge_view(StateView& parent, StateView& child, const MergeRule& rule) {
  Result<void> result = child.settle();
  (void)parent.settle();
  for (const auto& [key, theirs] : child.changes()) {
    auto found = child.origin()->find(key);
    StateText was = found == child.origin()->end() ? nullptr : found->second, ours = parent.find(key);
    if (same_text(ours, was)) {
      parent.put(key, theirs);
      continue;
    }
    if (same_text(ours, theirs) && rule.kind != MergeRule::Kind::ask) continue;
    Result<StateText> decided = decide(rule, key, ours, theirs);
    if (decided.ok()) parent.put(key, std::move(*decided));
    else if (result.ok()) result = decided.error();
  }
  return result;
}

}  // namespace perilune::flow
