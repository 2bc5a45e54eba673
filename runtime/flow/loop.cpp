// When a loop is saved, what goes then, and the text of a snapshot; see loop.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/loop.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/json_members.hpp"
#include "runtime/flow/state_records.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using nlohmann::json;

namespace {

constexpr int64_t k_redo_record_us = 2;      // replaying a record, roughly
constexpr int64_t k_snapshots_worth = 10;    // the work since the last snapshot must cost so many of them
constexpr int64_t k_cost_least_us = 20;      // of a snapshot: its record is written and read too
constexpr int64_t k_bytes_per_us = 50;       // written, with what the disk takes
constexpr int64_t k_cost_most_us = 3'600'000'000;
constexpr std::string_view k_opening = "{\"snapshot\":";
constexpr std::string_view k_graph = ",\"graph\":";

// The run's state as a text of its own, empty when there is none. The main task's is the last of "states".
std::string states_of(const Marks& marks) {
  std::string states, kept;
  for (const StateMap& changes : marks.states) states.append(states.empty() ? "" : ",").append(changes_json(changes));
  for (const auto& [name, mark] : marks.checkpoints) {
    if (mark.state == nullptr || mark.state->empty()) continue;
    kept.append(kept.empty() ? "" : ",").append(json_string(name)).append(":").append(state_json(*mark.state));
  }
  if (states.empty() && kept.empty()) return {};
  return "{\"states\":[" + states + "],\"kept\":{" + kept + "}}";
}

void read_states(std::string_view text, Marks& marks) {
  each_item(member_of(text, "states"), [&](std::string_view changes) { marks.states.push_back(read_changes(changes)); });
  each_member(member_of(text, "kept"), [&](const std::string& name, std::string_view state) {
    marks.checkpoints[name].state = std::make_shared<const StateMap>(read_changes("{\"set\":" + std::string(state) + "}"));
  });
}

// Names that a script chose stand in no key: a key that looks like that of the payload would end the search for it.
json pairs_of_checkpoints(const Marks& marks) {
  json pairs = json::array();
  for (const auto& [name, mark] : marks.checkpoints) pairs.push_back({name, mark.undo_order});
  return pairs;
}

json pairs_of_inbox(const Marks& marks) {
  json pairs = json::array();
  for (const auto& [name, values] : marks.inbox) pairs.push_back({name, values});
  return pairs;
}

// Older journals have objects.
template <class F>
void each_pair(const json& pairs, F&& visit) {
  if (pairs.is_object()) {
    for (auto& [name, value] : pairs.items()) visit(name, value);
  } else {
    for (const json& pair : pairs) visit(pair.at(0).get<std::string>(), pair.at(1));
  }
}

}  // namespace

std::string snapshot_member(const LoopSnapshot& snapshot) {
  const std::string states = states_of(snapshot.marks);
  json head = {{"index", snapshot.index},
               {"base", snapshot.base},
               {"base_position", snapshot.base_position},
               {"last", snapshot.last},
               {"ops", snapshot.ops},
               {"children", snapshot.children},
               {"random", snapshot.random},
               {"delivered", snapshot.marks.delivered_seq},
               {"now", snapshot.marks.now_us},
               {"running", snapshot.marks.running_us},
               {"undo", snapshot.marks.undo_order},
               {"checkpoints", pairs_of_checkpoints(snapshot.marks)},
               {"inbox", pairs_of_inbox(snapshot.marks)},
               {"settled", snapshot.marks.settled},
               {"size", snapshot.graph.size()}};
  if (!states.empty()) {
    head["stated"] = 1;
    head["states"] = states;
  }
  std::string text = head.dump(-1, ' ', false, json::error_handler_t::replace);
  text.pop_back();
  text.reserve(text.size() + snapshot.graph.size() + 32);
  text.insert(0, "\"snapshot\":");
  text.append(k_graph).append(snapshot.graph).append("}");
  return text;
}

// The head is parsed, the graph is cut out by its size. Data of another shape is of no use and counts as none.
std::optional<LoopSnapshot> read_snapshot(std::string_view data) {
  if (!data.starts_with(k_opening)) return std::nullopt;
  size_t from = k_opening.size(), to = data.find(k_graph);
  if (to == std::string_view::npos) return std::nullopt;
  json head = json::parse(std::string(data.substr(from, to - from)) + "}", nullptr, false);
  if (!head.is_object()) return std::nullopt;
  LoopSnapshot snapshot;
  snapshot.index = head.value("index", uint64_t{0});
  snapshot.base = head.value("base", uint64_t{0});
  snapshot.base_position = head.value("base_position", uint64_t{0});
  snapshot.last = head.value("last", false);
  snapshot.ops = head.value("ops", uint32_t{0});
  snapshot.children = head.value("children", uint32_t{0});
  snapshot.random = head.value("random", snapshot.random);
  snapshot.marks.delivered_seq = head.value("delivered", uint64_t{0});
  snapshot.marks.now_us = head.value("now", int64_t{0});
  snapshot.marks.running_us = head.value("running", int64_t{0});
  snapshot.marks.undo_order = head.value("undo", uint64_t{0});
  each_pair(head["checkpoints"], [&](const std::string& name, const json& order) {
    snapshot.marks.checkpoints[name].undo_order = order.get<uint64_t>();
  });
  each_pair(head["inbox"], [&](const std::string& name, const json& values) { snapshot.marks.inbox[name] = values; });
  snapshot.marks.settled = head.value("settled", snapshot.marks.settled);
  snapshot.graph = data.substr(to + k_graph.size(), head.value("size", size_t{0}));
  read_states(head.value("states", ""), snapshot.marks);
  return snapshot;
}

std::string state_in_snapshot(const journal::Record& record) {
  if (!std::string_view(record.data).starts_with(k_opening) || journal::number_of(record.data, "stated") == 0) return {};
  std::optional<LoopSnapshot> snapshot = read_snapshot(record.data);
  return snapshot && !snapshot->marks.states.empty() ? changes_json(snapshot->marks.states.back()) : std::string();
}

int64_t running_time_until(const journal::Record& record) {
  if (record.kind != Kind::loop_snapshot && record.kind != Kind::loop_done) return 0;
  return std::string_view(record.data).starts_with(k_opening) ? journal::number_of(record.data, "running") : 0;
}

void LoopCall::start() {
  for (store::Forgotten range : forgotten_) execution_.let_go(range);
  record(Kind::loop_done, std::move(data_));
}

Loop::Loop(Execution& execution, task::Task& task, std::string name, uint64_t keep)
    : execution_(execution), task_(task), name_(std::move(name)), keep_(keep),
      call_(std::make_unique<LoopCall>(execution, name_)) {}

bool Loop::open(int64_t busy_us) {
  since_busy_us_ = busy_us;
  since_position_ = execution_.position();
  if (!execution_.open_call(*call_, task_, Kind::loop_started)) return false;
  const journal::Cursor& cursor = execution_.cursor();
  journal::Trail::Op trail = cursor.trail(task_.id).op(call_->number());
  const journal::Record* newest = trail.outcome != 0 ? &cursor.at(trail.outcome) : nullptr;
  if (newest != nullptr) saved_ = read_snapshot(newest->data);
  if (!saved_.has_value()) {
    newest = cursor.find(trail, Kind::loop_snapshot);
    if (newest != nullptr) saved_ = read_snapshot(newest->data);
  }
  if (saved_.has_value()) newest_seq_ = newest->seq;
  return true;
}

void Loop::begin_iteration() {
  if (keep_ == 0) return;
  if (starts_.size() == keep_) starts_.pop_front();
  starts_.push_back(execution_.position());
}

bool Loop::restore(int64_t cost_us, int64_t busy_us) {
  task_.ops = saved_->ops;
  task_.child_count = saved_->children;
  task_.random.set_state(saved_->random);
  execution_.restore(saved_->marks, task_);
  index_ = saved_->index;
  has_base_ = true;
  base_ = saved_->base;
  base_position_ = forgotten_to_ = saved_->base_position;
  bool last = saved_->last;
  saved_.reset();
  starts_.clear();
  since_position_ = execution_.position();
  since_busy_us_ = busy_us;
  cost_us_ = std::max(k_cost_least_us, cost_us);
  return last;
}

bool Loop::numbers_here(int64_t cost_us, int64_t busy_us) const {
  if (has_base_ || saved_.has_value()) return false;
  const auto& forced = execution_.snapshot_due();
  if (forced ? !forced() : redo_us(busy_us) < k_snapshots_worth * std::max(k_cost_least_us, cost_us)) return false;
  return execution_.alone(task_);
}

void Loop::numbered(int64_t cost_us, int64_t busy_us) {
  since_busy_us_ = busy_us;
  has_base_ = true;
  base_ = index_;
  base_position_ = forgotten_to_ = since_position_ = execution_.position();
  cost_us_ = std::max(k_cost_least_us, 3 * cost_us);   // to write costs more than to look
}

int64_t Loop::redo_us(int64_t busy_us) const {
  uint64_t position = execution_.position();
  int64_t records = position > since_position_ ? static_cast<int64_t>(position - since_position_) : 0;
  return busy_us - since_busy_us_ + k_redo_record_us * records;
}

// The task is alone, and none that an iteration spawned has left an error that is still to be raised.
bool Loop::can_save() const {
  if (!has_base_ || !execution_.alone(task_)) return false;
  return task_.spawned == nullptr || static_cast<task::SpawnScope&>(*task_.spawned).unclaimed_error() == nullptr;
}

bool Loop::due(int64_t busy_us) const {
  if (!has_base_ || index_ == base_ || execution_.replaying()) return false;
  const auto& forced = execution_.snapshot_due();
  if (forced ? !forced() : redo_us(busy_us) < k_snapshots_worth * cost_us_) return false;
  return can_save();
}

LoopSnapshot Loop::snapshot_of(const std::string& graph, bool last) const {
  LoopSnapshot snapshot;
  snapshot.index = index_;
  snapshot.base = base_;
  snapshot.base_position = base_position_;
  snapshot.last = last;
  snapshot.ops = task_.ops;
  snapshot.children = task_.child_count;
  snapshot.random = task_.random.state();
  snapshot.marks = execution_.marks(task_);
  snapshot.graph = graph;
  return snapshot;
}

// What a new snapshot makes superfluous: the one before, and the records of iterations that are not among the last.
std::vector<store::Forgotten> Loop::superseded() {
  std::vector<store::Forgotten> ranges;
  if (newest_seq_ != 0) ranges.push_back({newest_seq_, newest_seq_});
  uint64_t to = 0;
  if (keep_ == 0) to = execution_.position();
  else if (starts_.size() == keep_) to = starts_.front();
  if (to > forgotten_to_) {
    ranges.push_back({forgotten_to_ + 1, to});
    forgotten_to_ = to;
  }
  return ranges;
}

void Loop::save(const std::string& graph, int64_t cost_us, int64_t busy_us) {
  journal::Record record = call_->remark(
      Kind::loop_snapshot, journal::with_value({0, 0, snapshot_member(snapshot_of(graph, false))}, {}));
  for (store::Forgotten range : superseded()) execution_.let_go(range);
  execution_.note(std::move(record), true);
  newest_seq_ = execution_.last_seq();
  since_position_ = execution_.position();
  since_busy_us_ = busy_us;
  cost_us_ = std::max(k_cost_least_us, cost_us + static_cast<int64_t>(graph.size()) / k_bytes_per_us);
}

void Loop::could_not_save(int64_t cost_us) {
  cost_us_ = std::min(k_cost_most_us, std::max(2 * cost_us_, cost_us));
}

bool Loop::end_recorded() const {
  return execution_.cursor().trail(task_.id).op(call_->number()).outcome != 0;
}

bool Loop::saves_end(int64_t busy_us) const {
  if (end_recorded()) return false;
  const auto& forced = execution_.snapshot_due();
  if (forced ? !forced() : newest_seq_ == 0 && redo_us(busy_us) < cost_us_) return false;
  return can_save();
}

std::unique_ptr<LoopCall> Loop::end(const std::string& value_json, const std::string& graph) {
  std::vector<store::Forgotten> ranges;
  std::string member;
  if (!graph.empty()) {
    member = snapshot_member(snapshot_of(graph, true));
    ranges = superseded();
  }
  call_->set_end(journal::with_value({0, 0, member}, value_json), std::move(ranges));
  return std::move(call_);
}

}  // namespace perilune::flow
