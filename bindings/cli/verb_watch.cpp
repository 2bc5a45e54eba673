// perilune watch: what runs do, as it is committed, from any process; of one run until it is over, or of all.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/json_view.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/store_follower.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/nearest.hpp"

namespace perilune::cli {

using journal::Kind;
using store::RunRecord;
using store::RunRow;

namespace {

std::string event_json(const RunRecord& one) {
  const journal::Record& record = one.record;
  JsonText json;
  json.open_object().key("cursor").number(one.position);
  json.key("run").text(one.run).key("workflow").text(one.workflow);
  json.key("seq").number(static_cast<int64_t>(record.seq)).key("generation").number(record.generation);
  json.key("task").text(record.task).key("op").number(record.op);
  json.key("kind").text(journal::kind_name(record.kind)).key("name").text(record.name);
  json.key("at").text(rfc3339(record.at_us)).key("data").recorded(record.data);
  return json.close_object().take() + "\n";
}

Paint paint_of(Mark mark) {
  switch (mark) {
    case Mark::done: return Paint::green;
    case Mark::failed: return Paint::red;
    case Mark::retry: return Paint::yellow;
    case Mark::skipped: return Paint::dim;
    case Mark::note: break;
  }
  return Paint::none;
}

std::string words_of(const journal::Record& record, const Terminal& terminal) {
  if (auto event = event_text(record)) return painted(terminal, paint_of(event->mark), event->text);
  std::string kind(journal::kind_name(record.kind));
  std::replace(kind.begin(), kind.end(), '_', ' ');
  std::string text = kind + (record.name.empty() ? "" : " " + printable(record.name));
  std::string detail = detail_text(record);
  return detail.empty() ? text : text + "  " + detail;
}

std::string event_line(const RunRecord& one, bool with_run, const Terminal& terminal) {
  std::string run = with_run ? printable(one.run) + " (" + printable(one.workflow) + ") " : std::string();
  return painted(terminal, Paint::dim, clock_time(one.record.at_us)) + " " + run + words_of(one.record, terminal) + "\n";
}

Result<std::vector<Kind>> kinds_of(const std::vector<std::string>& names) {
  std::vector<Kind> kinds;
  for (const std::string& name : names) {
    std::optional<Kind> kind = journal::kind_from_name(name);
    if (kind) {
      kinds.push_back(*kind);
      continue;
    }
    std::vector<std::string_view> valid;
    for (int number = 1; number <= UINT8_MAX; ++number)
      if (std::string_view known = journal::kind_name(static_cast<Kind>(number)); journal::kind_from_name(known)) valid.push_back(known);
    return Error(code::k_usage, unknown_name("kind of record", name, "--kind", valid));
  }
  return kinds;
}

// Where to begin: of one run its whole story, of all runs what comes.
Result<int64_t> cursor_of(const StoreView& view, const WatchOptions& options) {
  std::string from = options.from.empty() ? (options.run.empty() ? "now" : "start") : options.from;
  if (from == "start" || view.reader == nullptr) return int64_t{0};
  if (from == "now") return view.reader->last_position();
  constexpr size_t k_digits_max = 18;
  if (from.size() <= k_digits_max && from.find_first_not_of("0123456789") == from.npos) return std::stoll(from);
  return Error(code::k_usage, "--from '" + from + "' is no cursor: a number that --json gave, start, or now");
}

bool is_over(const RunRow& row) { return store::is_final(row.status) || row.status == store::Status::diverged; }

class Watch {
 public:
  Watch(StoreView& view, const WatchOptions& options, journal::RecordFilter filter, int64_t after)
      : options_(options),
        terminal_(terminal_of(STDOUT_FILENO)),
        run_(filter.run),
        view_(view),
        follower_(view, std::move(filter), after) {}

  int follow() {
    for (;;) {
      // What the row says of the end is read before the records: then those of the end are among them.
      std::optional<RunRow> ended;
      if (!run_.empty()) {
        Result<std::optional<RunRow>> row = view_.reader->run(run_);
        if (!row.ok()) return complain(row.error());
        if (row->has_value() && is_over(**row)) ended = std::move(**row);
      }
      Result<size_t> told = tell();
      if (!told.ok()) return complain(told.error());
      if (std::ferror(stdout) != 0) return k_exit_ok;   // nobody reads any more
      if (*told > 0) continue;
      if (ended) return end_of(*ended);
      follower_.wait();
    }
  }

 private:
  Result<size_t> tell() {
    Result<std::vector<RunRecord>> records = follower_.next();
    if (!records.ok()) return records.error();
    for (const RunRecord& one : *records)
      print_out(options_.json ? event_json(one) : event_line(one, run_.empty(), terminal_));
    if (!records->empty()) std::fflush(stdout);
    return records->size();
  }

  int end_of(const RunRow& row) const {
    RunResult result = result_of(row);
    return exit_code_of(row.status, result.error.get());
  }

  const WatchOptions& options_;
  Terminal terminal_;
  std::string run_;
  StoreView& view_;
  StoreFollower follower_;
};

}  // namespace

int verb_watch(const WatchOptions& options) {
  Result<std::vector<Kind>> kinds = kinds_of(options.kinds);
  if (!kinds.ok()) return complain(kinds.error(), "perilune watch --help");
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  journal::RecordFilter filter;
  filter.kinds = std::move(*kinds);
  filter.workflow = options.workflow;
  if (!options.run.empty()) {
    Result<RunRow> row = find_run(*view, options.run);
    if (!row.ok()) return complain(row.error());
    filter.run = row->id;
  }
  Result<int64_t> after = cursor_of(*view, options);
  if (!after.ok()) return complain(after.error(), "perilune watch --help");
  if (filter.run.empty() && !options.quiet)
    print_err("watching " + printable(view->place.path) + "; Ctrl-C ends it\n");
  return Watch(*view, options, std::move(filter), *after).follow();
}

}  // namespace perilune::cli
