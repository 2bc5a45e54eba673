// What is written to the journals of runs that nobody executes: signals, answers, and what operators ask for. One writer of a run at a
// time: whoever wants to take up or to write it meanwhile comes after. See engine.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/run.hpp"

namespace perilune::engine {

using store::RunRow;

void Engine::signal(const std::string& run, const std::string& name, const std::string& value, const std::string& id,
                    std::function<void(Result<void>)> done) {
  if (sleeping_.count(run) != 0) wake(run);
  if (auto live = runs_.find(run); live != runs_.end()) {
    if (!live->second->execution_->signal(name, value, id, [done] { done({}); }))
      done(Error(code::k_usage, "run '" + run + "' is ending: it takes no signals"));
    return;
  }
  auto again = [this, run, name, value, id, done] { signal(run, name, value, id, done); };
  if (comes_later(run, again, done)) return;
  Result<RunRow> row = row_to_write(run, "signals");
  if (!row.ok()) return done(row.error());
  signal_stored(*row, name, value, id, std::move(done));
}

// True: the run is being written or taken up now, and `again` will be called then (or `failed`).
bool Engine::comes_later(const std::string& run, std::function<void()> again, std::function<void(Result<void>)> failed) {
  if (auto storing = storing_.find(run); storing != storing_.end()) {
    storing->second.push_back(std::move(again));
    return true;
  }
  auto claiming = claiming_.find(run);
  if (claiming == claiming_.end()) return false;
  auto then = [before = std::move(claiming->second.started), again, failed](Result<RunRow> started) {
    if (before) before(started);
    if (started.ok()) again();
    else failed(started.error());
  };
  claiming->second.started = std::move(then);   // it is about to be live
  return true;
}

// The row of a run that nobody executes and that is not over: `what` may be written to its journal.
Result<RunRow> Engine::row_to_write(const std::string& run, const std::string& what) {
  Result<std::optional<RunRow>> row = reader().run(run);
  if (!row.ok()) return row.error();
  if (!row->has_value()) return Error(code::k_not_found, "no run '" + run + "' in this store");
  if (store::is_final((*row)->status))
    return Error(code::k_usage, "run '" + run + "' is " + std::string(store::status_name((*row)->status)) +
                                    " already: it takes no " + what);
  return std::move(**row);
}

// The record is read when the run is resumed.
void Engine::signal_stored(const RunRow& row, const std::string& name, const std::string& value, const std::string& id,
                           std::function<void(Result<void>)> done) {
  auto records = reader().records(row.no, 1, 0);
  if (!records.ok()) return done(records.error());
  for (const journal::Record& record : *records)
    if (!id.empty() && record.kind == journal::Kind::signal && flow::signal_id_of(record) == id) return done({});
  auto batch = [this, name, data = flow::signal_data(value, id)](const RunRow& claimed) {
    journal::Record record;
    record.seq = claimed.last_seq + 1;
    record.kind = journal::Kind::signal;
    record.name = name;
    record.at_us = options_.loop->clock().wall_us();
    record.data = data;
    store::Append append;
    append.records.push_back(std::move(record));
    return append;
  };
  append_stored(row.id, batch, std::move(done));
}

void Engine::append_stored(const std::string& id, std::function<store::Append(const RunRow&)> batch,
                           std::function<void(Result<void>)> done) {
  storing_[id];
  auto stored = [this, id, done = std::move(done)](Result<void> result) {
    auto waiting = std::move(storing_.extract(id).mapped());
    done(std::move(result));
    for (auto& next : waiting) next();
  };
  auto claimed = [this, batch = std::move(batch), stored = std::move(stored)](Result<RunRow> row) mutable {
    if (!row.ok()) return stored(row.error());
    store::Append append = batch(*row);
    append.run = row->no;
    append.epoch = row->epoch;
    options_.store->append(std::move(append), *options_.loop, std::move(stored));
    options_.loop->ask_turn();
  };
  options_.store->claim(id, *options_.loop, std::move(claimed));
  options_.loop->ask_turn();
}

}  // namespace perilune::engine
