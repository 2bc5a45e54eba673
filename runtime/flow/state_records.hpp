// What the journal says of the run's state: a state_changed record rides with the commit that follows a change of the main
// task's view, {"set":{"key":value,...},"removed":["key",...]}; a loop's snapshot has the whole (its older records may be
// gone). A replay needs none of it, the script sets the state again; those who look at a run fold the records.
// Uses journal and state_view. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/flow/state_view.hpp"
#include "runtime/journal/record.hpp"

namespace perilune::flow {

// A record, in its order, changes what is known. For records that count (journal::living).
void apply_state(const journal::Record& record, StateMap& known);
// The state after these records, as a JSON object.
std::string state_after(const std::vector<journal::Record>& living);
std::string state_json(const StateMap& state);

// A map of changes as the data of a record, and back.
std::string changes_json(const StateMap& changes);
StateMap read_changes(std::string_view json);

// What of the main task's view the journal knows.
class PublishedState {
 public:
  // On reading the journal.
  void apply(const journal::Record& record) { apply_state(record, known_); }
  // The data of the record that makes known what is new; empty: nothing is.
  std::string publish(StateView& view);

 private:
  StateMap known_;
  bool compared_ = false;   // with the view as a whole: once, after the replay
};

}  // namespace perilune::flow
