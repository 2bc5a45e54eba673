// The store as the verbs see it that only read: opened beside a living owner or without one, never changed.
// Uses config, sqlite_store.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "bindings/cli/config.hpp"
#include "bindings/cli/verbs.hpp"
#include "runtime/store/store.hpp"

namespace perilune::cli {

struct StoreView {
  Config config;
  StorePlace place;
  std::unique_ptr<store::StoreReader> reader;  // null = there is no store yet
};

// Errors: "usage" (configuration, or a store in memory, which nobody else can read), "damaged", "newer_schema",
// "storage".
Result<StoreView> open_view(const CommonOptions& options);

// A run by its id or the beginning of its id; the newest one for an empty text.
// Errors: "not_found", "usage" (several ids begin so), or the store's.
Result<store::RunRow> find_run(const StoreView& view, const std::string& id);

// Runs that are not over, newest first.
Result<std::vector<store::RunRow>> unfinished_runs(const StoreView& view);

// The pid of the process that owns the store, or 0.
int64_t owner_of(const StoreView& view);

}  // namespace perilune::cli
