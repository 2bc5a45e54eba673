// An operation on its way through a store: what was asked, by which loop, and what came of it. QueuedStore makes the
// four writing calls of Store into Operations; post_completions() brings the answers home, one post a loop and batch.
// Uses store.hpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "runtime/store/store.hpp"

namespace perilune::store {

struct AppendOp {
  Append append;
  int64_t at_us = 0;  // when it was asked, for the run's updated_us
  Store::Done<void> done;
};

struct CreateOp {
  NewRun run;
  Created created;  // the answer
  Store::Done<Created> done;
};

struct ClaimOp {
  std::string id;
  RunRow row;  // the answer
  Store::Done<RunRow> done;
};

struct BundleOp {
  std::string hash;
  std::string content;
  Store::Done<void> done;
};

struct Operation {
  loop::Loop* home = nullptr;
  // Appends are nearly all of the traffic; the others are boxed so that a queue of appends stays dense.
  std::variant<AppendOp, std::unique_ptr<CreateOp>, std::unique_ptr<ClaimOp>, std::unique_ptr<BundleOp>> work;
  std::unique_ptr<Error> refusal;  // null = it is committed
};

// Calls `done` of each operation on its home loop, in order. The operations, with what their callbacks hold, are
// destroyed there too.
void post_completions(std::vector<Operation> batch);

class QueuedStore : public Store {
 public:
  void create(NewRun run, loop::Loop& home, Done<Created> done) final;
  void append(Append append, loop::Loop& home, Done<void> done) final;
  void claim(const std::string& id, loop::Loop& home, Done<RunRow> done) final;
  void put_bundle(std::string hash, std::string content, loop::Loop& home, Done<void> done) final;

 protected:
  virtual void submit(Operation operation) = 0;  // thread-safe
};

}  // namespace perilune::store
