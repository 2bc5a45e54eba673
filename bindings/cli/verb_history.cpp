// perilune history: runs with their records and their code out of a store as JSON lines, and into one.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/history_file.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/engine/run.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "runtime/store/sqlite_store.hpp"

namespace perilune::cli {

using store::RunRow;

namespace {

// The newest last, so that a parent is read in before its children.
Result<std::vector<RunRow>> chosen(const StoreView& view, const HistoryOptions& options) {
  if (!options.all) {
    Result<RunRow> row = find_run(view, options.what);
    if (!row.ok()) return row.error();
    return std::vector<RunRow>{std::move(*row)};
  }
  if (view.reader == nullptr) return std::vector<RunRow>();
  Result<std::vector<RunRow>> rows = view.reader->list({});
  if (rows.ok()) std::reverse(rows->begin(), rows->end());
  return rows;
}

int export_history(const HistoryOptions& options) {
  if (options.all != options.what.empty())
    return complain(Error(code::k_usage, options.all ? "--all and a RUN: one of them" : "which run? name one, or --all"), "perilune history --help");
  if (!options.id.empty()) return complain(Error(code::k_usage, "--id is for import"), "perilune history --help");
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<std::vector<RunRow>> rows = chosen(*view, options);
  if (!rows.ok()) return complain(rows.error());
  std::ofstream file;
  if (!options.output.empty()) file.open(options.output, std::ios::binary | std::ios::trunc);
  if (!options.output.empty() && !file) return complain(Error(code::k_io, "cannot write " + options.output + ": " + std::strerror(errno)));
  HistoryWriter writer([&](std::string_view line) {
    if (!options.output.empty()) return static_cast<void>(file << line << '\n');
    print_out(line);
    print_out("\n");
  });
  for (const RunRow& row : *rows) {
    auto records = view->reader->records(row.no, 1, 0);
    if (!records.ok()) return complain(records.error());
    auto content = view->reader->bundle(row.bundle);
    if (!content.ok()) return complain(content.error());
    if (!content->has_value()) return complain(Error(code::k_damaged, "the code of run '" + row.id + "' is not in the store"));
    writer.run(row, *records, **content);
  }
  file.close();
  if (file.fail() && !options.output.empty()) return complain(Error(code::k_io, "cannot write " + options.output + ": " + std::strerror(errno)));
  return k_exit_ok;
}

// Under another id a run keeps the seed of the one that it was: its random numbers and keys follow from it.
void rename(store::NewRun& run, const std::string& id) {
  engine::StartFacts facts = engine::read_start_data(run.records.front());
  if (facts.seed.empty()) facts.seed = run.row.id;
  run.row.id = id;
  run.records.front().data = engine::start_data(facts, run.row);
}

class Importer {
 public:
  explicit Importer(store::Store& store) : store_(store), loop_(loop::make_uv_loop()) {}

  Result<void> put(ReadRun read) {
    Result<void> answer = Error(code::k_storage, "the store was closed before the run was on disk");
    std::string id = read.run.row.id;
    store_.put_bundle(read.run.row.bundle, std::move(read.bundle), *loop_, {});
    store_.create(std::move(read.run), *loop_, [&](Result<store::Created> created) {
      if (!created.ok()) answer = created.error();
      else if (created->existed) answer = Error(code::k_conflict, "run '" + id + "' exists already; --id gives the one that is read in another id");
      else answer = {};
      loop_->stop();
    });
    store_.flush();
    loop_->run();
    return answer;
  }

 private:
  store::Store& store_;
  std::unique_ptr<loop::Loop> loop_;
};

int import_history(const HistoryOptions& options) {
  if (options.what.empty()) return complain(Error(code::k_usage, "which file? name one, or - for stdin"), "perilune history --help");
  if (!options.output.empty()) return complain(Error(code::k_usage, "--output is for export"), "perilune history --help");
  if (options.all) return complain(Error(code::k_usage, "--all is for export: import takes all that the file holds"), "perilune history --help");
  if (!options.id.empty() && !is_run_id(options.id))
    return complain(Error(code::k_usage, "'" + options.id.substr(0, 60) + "' can't be the id of a run: it has " + k_run_id_rule));
  std::ifstream file;
  if (options.what != "-") file.open(options.what);
  if (options.what != "-" && !file) return complain(Error(code::k_io, "cannot read " + options.what + ": " + std::strerror(errno)));
  std::istream& in = options.what == "-" ? std::cin : file;
  HistoryReader reader([&](std::string& line) { return static_cast<bool>(std::getline(in, line)); });
  std::vector<ReadRun> runs;   // all are looked at before the first is written
  for (;;) {
    Result<std::optional<ReadRun>> read = reader.read();
    if (!read.ok()) return complain(read.error());
    if (!read->has_value()) break;
    runs.push_back(std::move(**read));
  }
  if (!options.id.empty() && runs.size() != 1)
    return complain(Error(code::k_usage, "--id is for a file of one run; this one holds " + std::to_string(runs.size())));
  if (!options.id.empty()) rename(runs.front().run, options.id);
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  for (const ReadRun& read : runs) {
    if (view->reader == nullptr) break;
    Result<std::optional<RunRow>> standing = view->reader->run(read.run.row.id);
    if (!standing.ok()) return complain(standing.error());
    if (standing->has_value())
      return complain(Error(code::k_conflict, "run '" + read.run.row.id + "' exists already; --id gives the one that is read in another id"));
  }
  if (Result<void> made = make_store_home(view->place); !made.ok()) return complain(made.error());
  auto store = store::open_sqlite({view->place.path, view->config.relaxed});
  if (!store.ok()) return complain(store.error());
  std::string told;
  int exit_code = k_exit_ok;
  Importer importer(**store);
  for (ReadRun& read : runs) {
    std::string line = read.run.row.id + "  " + read.run.row.workflow + "  " + std::to_string(read.run.records.size()) + " records";
    Result<void> put = importer.put(std::move(read));
    if (!put.ok()) {
      exit_code = complain(put.error());
      break;
    }
    told += printable(line) + "\n";
  }
  (*store)->close();
  if (!options.quiet) print_out(told);
  return exit_code;
}

}  // namespace

int verb_history(const HistoryOptions& options) {
  if (options.action == "export") return export_history(options);
  if (options.action == "import") return import_history(options);
  return complain(Error(code::k_usage, "'" + options.action + "' is none of export and import"), "perilune history --help");
}

}  // namespace perilune::cli
