// Which runs are meant: --status, --workflow, --session, --since, --limit, as the store understands them.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/cli/verbs.hpp"
#include "runtime/store/store.hpp"

namespace perilune::cli {

// A moment: "2h" (ago), "2026-11-20", "2026-11-20T12:00:00Z". Errors: "usage".
Result<int64_t> parse_since(const std::string& text);
// Errors: "usage", with the nearest status or the forms of a time.
Result<store::Filter> make_filter(const FilterOptions& options);

}  // namespace perilune::cli
