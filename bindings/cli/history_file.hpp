// Runs with all their records and their code as JSON lines, to be kept, sent and read in again:
//
//   {"perilune":"history","version":1}
//   {"bundle":{"hash","content"}}                      before the first run that it is the code of
//   {"run":{"id","workflow",...,"records":3}}
//   {"record":{"seq","kind",...,"data"}}                as many as the run says
//   {"end":{"run","sha256"}}                            of the lines of the run and its records
//
// Reading promises: a run is given only when it is whole: every record there, numbered upwards, nothing changed since it was
// written, its code at hand. Texts are JSON strings, those that are not UTF-8 {"$bytes": base64}. Uses store.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "runtime/store/store.hpp"

namespace perilune::cli {

class HistoryWriter {
 public:
  explicit HistoryWriter(std::function<void(std::string_view line)> write);
  // `content`: of its bundle, written once.
  void run(const store::RunRow& row, const std::vector<journal::Record>& records, const std::string& content);

 private:
  std::function<void(std::string_view)> write_;
  std::set<std::string> bundles_;
};

struct ReadRun {
  store::NewRun run;
  std::string bundle;        // its content; the hash is run.row.bundle
};

class HistoryReader {
 public:
  // `next` gives a line, false at the end.
  explicit HistoryReader(std::function<bool(std::string& line)> next) : next_(std::move(next)) {}
  // The next run; nothing at the end. Errors: "validation", with the line and what is wrong with it.
  Result<std::optional<ReadRun>> read();

 private:
  Result<bool> read_line(std::string& line);
  Result<void> read_head();
  Result<ReadRun> read_run(const std::string& line);
  Error wrong(const std::string& what) const;

  std::function<bool(std::string&)> next_;
  std::map<std::string, std::string> bundles_;   // content by hash
  int64_t line_ = 0;
};

}  // namespace perilune::cli
