// See store_view.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/store_view.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/store/sqlite_store.hpp"

namespace perilune::cli {

using store::RunRow;
using store::Status;

namespace {
constexpr int64_t k_ambiguous_shown = 5;
}

Result<StoreView> open_view(const CommonOptions& options) {
  std::error_code failed;
  std::string cwd = std::filesystem::current_path(failed).string();
  if (failed) return Error(code::k_storage, "the working directory is gone: " + failed.message());
  Result<Config> config = load_config(cwd, options.store, process_environment());
  if (!config.ok()) return config.error();
  Result<StorePlace> place = place_store(*config, cwd);
  if (!place.ok()) return place.error();
  if (place->memory)
    return Error(code::k_usage, "a store in memory is gone with its process: there is nothing to read");
  StoreView view{std::move(*config), std::move(*place), nullptr};
  auto reader = store::open_sqlite_reader(view.place.path);
  if (reader.ok())
    view.reader = std::move(*reader);
  else if (reader.error().code != code::k_not_found)
    return reader.error();
  else if (access(view.place.path.c_str(), F_OK) != 0 && errno != ENOENT)   // not absent: out of reach
    return Error(code::k_storage, "can't look at " + view.place.path + ": " + std::strerror(errno));
  return view;
}

Result<RunRow> find_run(const StoreView& view, const std::string& id) {
  if (view.reader == nullptr) return Error(code::k_not_found, "there is no store yet: " + view.place.path);
  if (id.empty()) {
    store::Filter newest;
    newest.limit = 1;
    Result<std::vector<RunRow>> rows = view.reader->list(newest);
    if (!rows.ok()) return rows.error();
    if (rows->empty()) return Error(code::k_not_found, "there are no runs in " + view.place.path);
    return std::move(rows->front());
  }
  Result<std::optional<RunRow>> exact = view.reader->run(id);
  if (!exact.ok()) return exact.error();
  if (exact->has_value()) return std::move(**exact);
  Result<std::vector<RunRow>> rows = view.reader->runs_by_prefix(id, k_ambiguous_shown);
  if (!rows.ok()) return rows.error();
  if (rows->empty()) return Error(code::k_not_found, "no run '" + id + "' in " + view.place.path);
  if (rows->size() == 1) return std::move(rows->front());
  std::string ids;
  for (const RunRow& row : *rows) ids += (ids.empty() ? "" : ", ") + row.id;
  return Error(code::k_usage, "several runs begin with '" + id + "': " + ids);
}

Result<std::vector<RunRow>> unfinished_runs(const StoreView& view) {
  if (view.reader == nullptr) return std::vector<RunRow>();
  store::Filter filter;
  filter.statuses = {Status::queued, Status::running, Status::waiting, Status::paused};
  return view.reader->list(filter);
}

int64_t owner_of(const StoreView& view) { return store::sqlite_owner_pid(view.place.path); }

}  // namespace perilune::cli
