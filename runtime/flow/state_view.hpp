// What one task sees of the run's `state`: keys with values as JSON text.
//
//   main:      {} ----------------- all that it and its branches have set -----------------> published (state_records.hpp)
//   a branch:  what its parent had when it began (origin) --set--> its own --ends well--> merged into the parent's
//
// A view begins at no cost: it shares the text of what it has not set. Made only for runs that use state: where a task has
// none, its children begin with none, and the first use makes an empty one.
// The tables that scripts see stand behind StateTables, which the binding implements.
// Uses task (views are attached to tasks). SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/task/task.hpp"

namespace perilune::flow {

using StateText = std::shared_ptr<const std::string>;              // null: no such key
using StateMap = std::map<std::string, StateText, std::less<>>;    // in a map of changes null means removed
using StateMapRef = std::shared_ptr<const StateMap>;

bool same_text(const StateText& a, const StateText& b);

class StateView;

// How two values of one key become one: the first wins with an error, the later one wins, or the script is asked.
struct MergeRule {
  enum class Kind : uint8_t { error, last, ask };
  Kind kind = Kind::error;
  // The value for both, as JSON text (empty: none); null texts are keys that are not there.
  std::function<Result<std::string>(const std::string& key, const StateText& a, const StateText& b)> ask;
};

// The tables of a view that a script holds. They may be ahead of the view's texts until write_back().
class StateTables {
 public:
  virtual ~StateTables() = default;
  // Writes what was changed inside of the tables of these keys into the view. Errors: "validation", "limit"; the key stays
  // changed then.
  virtual Result<void> write_back(StateView& view) = 0;
};

class StateView final : public task::Attachment {
 public:
  StateView() : StateView(std::make_shared<const StateMap>()) {}
  explicit StateView(StateMapRef origin);

  static StateView& of(task::Task& task);                        // made at its first use
  static StateView* find(const task::Task& task) { return static_cast<StateView*>(task.view.get()); }
  // A child of the task begins with what this holds now.
  std::unique_ptr<task::Attachment> branch() override;

  StateText find(std::string_view key) const;
  // All keys with their values. What is set afterwards does not change it.
  StateMapRef all();

  // ---- by the script, through its tables
  void set(std::string_view key, StateText text);                // null removes
  void touch(std::string_view key) { touched_.insert(std::string(key)); }   // inside of its table
  const std::set<std::string, std::less<>>& touched() const { return touched_; }
  // The texts are up to date with the tables. Errors as write_back.
  Result<void> settle();
  std::unique_ptr<StateTables>& tables() { return tables_; }
  uint64_t id() const { return id_; }   // tells one view from all others

  // ---- by the runtime: the tables of the keys are not what counts any more, they are in stale()
  void put(std::string_view key, StateText text);
  // As it stood then (a text of all()), or as it was when the task began.
  void restore(const StateMapRef& then);
  const StateMapRef& origin() const { return origin_; }
  std::vector<std::string>& stale() { return stale_; }

  // Keys whose value is another than at the beginning, with their values now.
  StateMap changes() const;
  void set_changes(const StateMap& changes);
  // Keys that were set since the last call.
  std::set<std::string, std::less<>> take_news() { return std::exchange(news_, {}); }
  bool has_news() const { return !news_.empty(); }

  MergeRule rule;                 // for the end of the task, if that merges it

 private:
  void write(std::string_view key, StateText text);

  StateMapRef origin_;            // at the beginning of the task
  StateMapRef base_;              // shared with views that began here; what was set since:
  StateMap over_;
  std::set<std::string, std::less<>> written_;    // ever
  std::set<std::string, std::less<>> news_;
  std::set<std::string, std::less<>> touched_;    // tables that are ahead of their texts
  std::vector<std::string> stale_;
  std::unique_ptr<StateTables> tables_;
  uint64_t id_;
};

// The child's changes become the parent's. A key that both have changed since the child began, to different values, is
// for the rule to decide. Errors: "conflict" (the parent's value stays), and what the rule's function fails with.
Result<void> merge_view(StateView& parent, StateView& child, const MergeRule& rule);

}  // namespace perilune::flow
