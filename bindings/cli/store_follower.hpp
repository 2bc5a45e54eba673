// Committed records of a store as they come, read from another process: what is there first, then what is committed, for as
// long as somebody asks. Promises: nothing is missed or told twice, whatever becomes of the processes that write; the store
// may be made only later, or be put in the place of another.
// Uses store_view, change_watch. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "bindings/cli/store_view.hpp"
#include "runtime/store/change_watch.hpp"

namespace perilune::cli {

class StoreFollower {
 public:
  StoreFollower(StoreView& view, journal::RecordFilter filter, int64_t after)
      : view_(view), watch_(view.place.path), query_{after, std::move(filter)} {}

  // What came since the last time, at most a page; nothing when there is nothing more now.
  Result<std::vector<store::RunRecord>> next();
  // Until there may be more. `input_fd` (-1 = none) ends it too, when it can be read.
  store::ChangeWatch::Woken wait(int input_fd = -1);

 private:
  StoreView& view_;
  store::ChangeWatch watch_;
  journal::RecordQuery query_;
  bool found_ = false;
};

}  // namespace perilune::cli
