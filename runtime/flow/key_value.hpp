// Calls on values under keys that all runs of a store share: store.* and session.
//
// A read is recorded with what it gave. A write goes in the same commit as its record, so it is done exactly once; what it
// depends on (cas, delete) is looked at when it is handed over, and one process owns a store: nobody comes in between.
// The values themselves are the engine's: KeyValues. Uses execution and durable.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/flow/durable.hpp"
#include "runtime/store/store.hpp"

namespace perilune::flow {

class KeyValues {
 public:
  virtual ~KeyValues() = default;
  // As they are when all that was handed over is committed. Errors: "storage".
  virtual Result<std::optional<std::string>> value(const std::string& space, const std::string& key) = 0;
  virtual Result<std::vector<store::Entry>> entries(const store::EntryQuery& query) = 0;
  // The runs of a session, the newest first, as a JSON array; those that went wrong alone, with their errors.
  virtual Result<std::string> runs_of(const std::string& session, bool errors) = 0;
  // Writes were handed to the store; `committed` is to be called when they are on disk.
  virtual std::function<void()> handed_over(const std::vector<store::EntryWrite>& writes) = 0;
};

struct KeyCall {
  enum class Act : uint8_t { get, set, remove, list, cas, migrate, runs, errors };
  Act act = Act::get;
  const char* name = "store.get";         // as scripts know it
  std::string space;
  std::string key;                        // list: the prefix
  std::optional<std::string> old;         // cas: what must stand there, as JSON text; nothing: nothing
  std::optional<std::string> value;       // to write; nothing: removes
  int64_t ttl_us = 0;
  int64_t limit = 0;                      // list
  int64_t version = 0;                    // migrate: to which,
  // and how one value comes to a version: JSON text, empty = the key goes.
  std::function<Result<std::string>(int64_t version, const std::string& key, const std::string& value)> step;
  std::vector<int64_t> steps;             // versions that have a function
};

class KeyOperation final : public Durable {
 public:
  KeyOperation(Execution& execution, KeyValues& values, KeyCall call);
  const char* call() const override { return call_.name; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::step_done || kind == journal::Kind::step_failed;
  }
  std::string describe() const override { return std::string(call_.name) + " '" + call_.key + "'"; }

 private:
  void start() override;
  void teardown(const task::ErrorRef&) override {}   // its record is under way
  Result<std::string> run(std::vector<store::EntryWrite>& writes);
  Result<std::string> list();
  Result<std::string> cas(std::vector<store::EntryWrite>& writes);
  Result<std::string> migrate(std::vector<store::EntryWrite>& writes);
  store::EntryWrite write(std::string key, std::optional<std::string> value) const;

  KeyValues& values_;
  KeyCall call_;
};

}  // namespace perilune::flow
