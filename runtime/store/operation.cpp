// See operation.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/operation.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace perilune::store {
namespace {

using Batch = std::vector<Operation>;

void answer(Store::Done<void>& done, std::unique_ptr<Error>& refusal) {
  if (!done) return;
  if (refusal)
    done(std::move(*refusal));
  else
    done({});
}

template <class T>
void answer(Store::Done<T>& done, T& value, std::unique_ptr<Error>& refusal) {
  if (!done) return;
  if (refusal)
    done(std::move(*refusal));
  else
    done(std::move(value));
}

void complete(Operation& operation) {
  if (auto* append = std::get_if<AppendOp>(&operation.work)) {
    answer(append->done, operation.refusal);
  } else if (auto* create = std::get_if<std::unique_ptr<CreateOp>>(&operation.work)) {
    answer((*create)->done, (*create)->created, operation.refusal);
  } else if (auto* claim = std::get_if<std::unique_ptr<ClaimOp>>(&operation.work)) {
    answer((*claim)->done, (*claim)->row, operation.refusal);
  } else {
    answer(std::get<std::unique_ptr<BundleOp>>(operation.work)->done, operation.refusal);
  }
}

void post_to(loop::Loop& home, Batch batch) {
  home.post([shared = std::make_shared<Batch>(std::move(batch))] {
    for (Operation& operation : *shared) complete(operation);
  });
}

}  // namespace

void post_completions(Batch batch) {
  while (!batch.empty()) {
    loop::Loop* home = batch.front().home;
    auto others = std::stable_partition(batch.begin(), batch.end(), [&](const Operation& o) { return o.home == home; });
    Batch rest(std::make_move_iterator(others), std::make_move_iterator(batch.end()));
    batch.erase(others, batch.end());
    post_to(*home, std::move(batch));
    batch = std::move(rest);
  }
}

void QueuedStore::create(NewRun run, loop::Loop& home, Done<Created> done) {
  auto work = std::make_unique<CreateOp>();
  work->run = std::move(run);
  work->done = std::move(done);
  submit({&home, std::move(work), nullptr});
}

void QueuedStore::append(Append append, loop::Loop& home, Done<void> done) {
  int64_t at_us = append.records.empty() ? home.clock().wall_us() : append.records.back().at_us;
  submit({&home, AppendOp{std::move(append), at_us, std::move(done)}, nullptr});
}

void QueuedStore::claim(const std::string& id, loop::Loop& home, Done<RunRow> done) {
  auto work = std::make_unique<ClaimOp>();
  work->id = id;
  work->done = std::move(done);
  submit({&home, std::move(work), nullptr});
}

void QueuedStore::put_bundle(std::string hash, std::string content, loop::Loop& home, Done<void> done) {
  auto work = std::make_unique<BundleOp>();
  work->hash = std::move(hash);
  work->content = std::move(content);
  work->done = std::move(done);
  submit({&home, std::move(work), nullptr});
}

}  // namespace perilune::store
