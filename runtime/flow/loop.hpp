// loop: iterations that run in the task that calls it, and snapshots between them, so that a resume redoes only what came
// after the newest one and the records before it may go.
//
//   loop_started . . . . . . loop_snapshot . . . loop_snapshot . . . loop_done (the value; and a snapshot, as a rule)
//        |   base: the task is alone from here on; the objects that it reaches are numbered
//        |     |<-- records that may go -->|<- keep ->|<- redone by a resume ->|
//
// A snapshot is true only when nobody else has done anything since the base: the other live tasks wait for the loop's
// (Execution::alone), as those that iterations begin have ended by then. Until the task is alone there is no base, and
// the iterations are replayed. The graph of objects in a snapshot is a text of the binding's; everything else is here.
// Uses execution and durable.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "runtime/flow/durable.hpp"

namespace perilune::flow {

// A loop between two iterations.
struct LoopSnapshot {
  uint64_t index = 0;        // iterations that are done
  uint64_t base = 0;         // and that were done when the objects were numbered
  uint64_t base_position = 0;  // Execution::position() then: the records up to it stay
  bool last = false;         // the loop is over
  uint32_t ops = 0;          // of the task
  uint32_t children = 0;
  std::array<uint64_t, 4> random{};
  Marks marks;
  std::string_view graph;    // of the binding
};

// The member "snapshot" of a record's data, and back. Nothing for data that has none.
std::string snapshot_member(const LoopSnapshot& snapshot);
std::optional<LoopSnapshot> read_snapshot(std::string_view data);
// The run's state that a snapshot in the record holds, as changes_json has it; empty: there is none.
std::string state_in_snapshot(const journal::Record& record);
// The running time that a snapshot in the record counts, or 0.
int64_t running_time_until(const journal::Record& record);

// The loop as a durable call: open from its beginning, begun (as calls are) when its value is there.
class LoopCall final : public Durable {
 public:
  LoopCall(Execution& execution, std::string name) : Durable(execution, std::move(name), 0) {}
  const char* call() const override { return "loop"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::loop_done; }
  bool notes(journal::Kind kind) const override { return kind == journal::Kind::loop_started; }
  std::string describe() const override { return "the end of loop '" + name() + "'"; }
  using Durable::remark;
  void set_end(std::string data, std::vector<store::Forgotten> forgotten) {
    data_ = std::move(data);
    forgotten_ = std::move(forgotten);
  }

 private:
  void start() override;
  void teardown(const task::ErrorRef&) override {}   // its record is under way
  std::string data_;
  std::vector<store::Forgotten> forgotten_;
};

class Loop {
 public:
  Loop(Execution& execution, task::Task& task, std::string name, uint64_t keep);

  // False: the run has diverged; the task must suspend.
  bool open(int64_t busy_us);
  const std::string& name() const { return name_; }
  uint64_t index() const { return index_; }     // iterations that are done
  void begin_iteration();
  void end_iteration() { ++index_; }
  uint64_t base_position() const {   // records up to it never go
    return saved_.has_value() ? saved_->base_position : base_position_;
  }

  // ---- between two iterations, in this order
  // An earlier life has left a snapshot that counts from here: number the objects, put its graph back, then call restore().
  bool restores_here() const { return saved_.has_value() && saved_->base == index_; }
  std::string_view saved_graph() const { return saved_->graph; }
  // True: the loop was over then; what remains is its end.
  bool restore(int64_t cost_us, int64_t busy_us);
  // The objects are to be numbered now, once in a loop: as soon as it has shown to be longer than the trouble, which is
  // expected to cost `cost_us`.
  bool numbers_here(int64_t cost_us, int64_t busy_us) const;
  void numbered(int64_t cost_us, int64_t busy_us);
  // A snapshot is worth its cost. `busy_us` is always what the script has worked since the task began.
  bool due(int64_t busy_us) const;
  // `cost_us` is what it took to make the graph.
  void save(const std::string& graph, int64_t cost_us, int64_t busy_us);
  void could_not_save(int64_t cost_us);         // the next try comes later

  // ---- the end
  // The value is recorded already, or on its way: no snapshot is asked for.
  bool end_recorded() const;
  // A snapshot is worth to be kept with the value.
  bool saves_end(int64_t busy_us) const;
  // The operation to begin and wait for; `graph` may be empty. The Loop has done its part then.
  std::unique_ptr<LoopCall> end(const std::string& value_json, const std::string& graph);

 private:
  bool can_save() const;
  int64_t redo_us(int64_t busy_us) const;
  LoopSnapshot snapshot_of(const std::string& graph, bool last) const;
  std::vector<store::Forgotten> superseded();

  Execution& execution_;
  task::Task& task_;
  std::string name_;
  uint64_t keep_;
  std::unique_ptr<LoopCall> call_;
  uint64_t index_ = 0;
  std::deque<uint64_t> starts_;          // positions at which the last `keep` iterations began
  std::optional<LoopSnapshot> saved_;    // of an earlier life, until it is restored
  bool has_base_ = false;
  uint64_t base_ = 0, base_position_ = 0;
  uint64_t forgotten_to_ = 0;            // records after the base and up to this have gone
  uint64_t newest_seq_ = 0;              // record of the newest snapshot, or 0
  uint64_t since_position_ = 0;          // of the newest snapshot, or the base
  int64_t since_busy_us_ = 0;
  int64_t cost_us_ = 0;                  // of a snapshot, as far as is known
};

}  // namespace perilune::flow
