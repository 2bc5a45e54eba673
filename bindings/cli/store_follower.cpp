// See store_follower.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/store_follower.hpp"

#include <utility>

#include "runtime/store/sqlite_store.hpp"

namespace perilune::cli {

using store::RunRecord;
using Woken = store::ChangeWatch::Woken;

// A page may be full of what the filter drops.
Result<std::vector<RunRecord>> StoreFollower::next() {
  for (;;) {
    if (view_.reader == nullptr) return std::vector<RunRecord>();
    Result<journal::RecordPage> page = view_.reader->records_after(query_);
    if (!page.ok()) return page.error();
    found_ = found_ || page->reached != query_.after;
    query_.after = page->reached;
    if (!page->records.empty() || !page->more) return std::move(page->records);
  }
}

// When nobody has written for a while, the file is opened anew: it may be another one, or the first.
Woken StoreFollower::wait(int input_fd) {
  Woken woken = watch_.wait(std::exchange(found_, false), input_fd);
  if (woken != Woken::limit && view_.reader != nullptr) return woken;
  auto reader = store::open_sqlite_reader(view_.place.path);
  if (reader.ok()) view_.reader = std::move(*reader);   // else the one that is there says what is wrong
  return woken;
}

}  // namespace perilune::cli
