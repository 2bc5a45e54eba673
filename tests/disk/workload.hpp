// A random life of a store: batches of runs that are created, written to, claimed, and whose loops let go of records. Each
// batch is told to a store on the disk and to one in memory, which has no disk to fail: what stands on the disk after a
// fault must be what the memory held after some batch, and no earlier one than the last that was answered.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "runtime/store/memory_store.hpp"
#include "runtime/store/store.hpp"

namespace perilune::disk {

// All that a store says of itself, as text: for comparisons. An error is its own text.
std::string contents(store::StoreReader& reader);

class Workload {
 public:
  // The same seed makes the same batches. `large`: of records that fill pages.
  Workload(uint64_t seed, bool large);

  // The next batch, for both. True: the disk's store has answered all of it, and well.
  bool batch(store::Store& store, loop::SimLoop& loop);
  // How a store may look: after all that it answered, or with the batch that it did not answer too. Empty: it does. Goes on
  // from what was found.
  std::string compare(const std::string& found);
  const std::string& last_error() const { return last_error_; }
  size_t batches() const { return batches_.size(); }

 private:
  struct Step {
    enum { k_create, k_append, k_claim, k_bundle } what = k_create;
    std::string run;             // or the hash of a bundle
    store::Append append;
  };
  using Steps = std::vector<Step>;
  struct Known {
    uint64_t epoch = 0, last_seq = 0, base = 0;
  };
  Steps next_batch();
  Step next_append(size_t run);
  journal::Record record(uint64_t seq);
  size_t ask(store::Store& store, loop::SimLoop& loop, const Steps& steps);
  std::string model();

  Random random_;
  bool large_;
  int64_t now_us_ = 1'700'000'000'000'000;
  std::vector<Known> known_, before_;   // runs, now and before the newest batch
  std::vector<Steps> batches_;
  std::string answered_, newest_;       // contents of the model
  std::string last_error_;
};

}  // namespace perilune::disk
