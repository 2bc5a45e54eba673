// See run_board.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_board.hpp"

#include <algorithm>

#include "bindings/cli/json_text.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/wait_text.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/journal/generations.hpp"

namespace perilune::cli {

using store::RunRow;
using store::Status;

namespace {

constexpr int64_t k_measure_us = 1'000'000;

bool is_open(const RunRow& row) { return !store::is_final(row.status) && row.status != Status::diverged; }

std::string now_text(const RunState& state) {
  std::string text;
  size_t more = 0;
  auto add = [&](std::string one) { text.empty() ? text = std::move(one) : (++more, text); };
  for (const OpenOperation* operation : state.operations())
    if (operation->state == OpenOperation::State::running)
      add("step " + printable(operation->name) + (operation->attempt > 1 ? " (attempt " + std::to_string(operation->attempt) + ")" : ""));
  for (const journal::Wait* wait : state.waits()) add(wait_text(*wait));
  return more == 0 ? text : text + " and " + std::to_string(more) + " more";
}

}  // namespace

Result<void> RunBoard::read_on(const RunRow& row, Known& known) {
  if (row.last_seq == known.last_seq) return {};
  auto records = view_.reader->records(row.no, known.last_seq + 1, 0);
  if (!records.ok()) return records.error();
  bool taken_back = std::any_of(records->begin(), records->end(), [](const auto& record) { return journal::rewind_of(record).has_value(); });
  if (taken_back) {
    records = view_.reader->records(row.no, 1, 0);
    if (!records.ok()) return records.error();
    known.state = {};
  }
  if (!records->empty()) known.last_seq = records->back().seq;
  if (taken_back) *records = journal::living(std::move(*records));
  for (const journal::Record& record : *records) known.state.apply(record);
  return {};
}

Result<void> RunBoard::add_line(RunRow row) {
  Line line;
  if (is_open(row)) {
    Known& known = known_[row.id];
    known.seen = true;
    if (Result<void> read = read_on(row, known); !read.ok()) return read;
    line.steps_done = known.state.steps_done();
    line.waits = known.state.waits().size();
    line.now = now_text(known.state);
  }
  if (!row.error.empty() && row.status != Status::running && row.status != Status::waiting)
    line.now = printable(one_line(error_from_json_text(row.error)));
  row.input.clear();
  row.output.clear();
  line.row = std::move(row);
  lines_.push_back(std::move(line));
  return {};
}

void RunBoard::measure(int64_t position, int64_t now_us) {
  if (measured_position_ >= 0 && now_us - measured_us_ < k_measure_us) return;
  if (measured_position_ >= 0)
    records_per_s_ = static_cast<double>(position - measured_position_) * 1e6 / static_cast<double>(now_us - measured_us_);
  measured_position_ = position;
  measured_us_ = now_us;
}

Result<void> RunBoard::refresh(int64_t now_us) {
  lines_.clear();
  unfinished_ = 0;
  if (view_.reader == nullptr) return {};
  Result<int64_t> position = view_.reader->last_position();
  if (!position.ok()) return position.error();
  measure(*position, now_us);
  store::Filter filter;
  filter.statuses = {Status::queued, Status::running, Status::waiting, Status::paused};
  filter.limit = static_cast<int64_t>(lines_max_);
  auto open = view_.reader->list(filter);
  if (!open.ok()) return open.error();
  filter.statuses = {Status::completed, Status::failed, Status::cancelled, Status::diverged, Status::quarantined};
  filter.limit = static_cast<int64_t>(lines_max_ - std::min(lines_max_, open->size()));
  auto over = filter.limit == 0 ? Result<std::vector<RunRow>>(std::vector<RunRow>()) : view_.reader->list(filter);
  if (!over.ok()) return over.error();
  for (auto& [id, known] : known_) known.seen = false;
  unfinished_ = open->size();
  for (auto* rows : {&*open, &*over})
    for (RunRow& row : *rows)
      if (Result<void> added = add_line(std::move(row)); !added.ok()) return added;
  std::erase_if(known_, [](const auto& entry) { return !entry.second.seen; });
  return {};
}

std::vector<std::string> board_text(const RunBoard& board, int width, int64_t wall_us) {
  constexpr int k_status_width = 11, k_age_width = 8, k_steps_width = 6, k_name_max = 24;
  int id_width = 3, workflow_width = 8;
  for (const RunBoard::Line& line : board.lines()) {
    id_width = std::max(id_width, columns_of(printable(line.row.id)));
    workflow_width = std::max(workflow_width, std::min(k_name_max, columns_of(printable(line.row.workflow))));
  }
  id_width = std::min(id_width, std::max(8, width / 3));
  std::vector<std::string> lines = {clipped(padded("RUN", id_width) + "  " + padded("WORKFLOW", workflow_width) + "  " +
                                            padded("STATUS", k_status_width) + "  " + padded("AGE", k_age_width) + "  " +
                                            padded("STEPS", k_steps_width) + "  NOW", width)};
  for (const RunBoard::Line& line : board.lines()) {
    const RunRow& row = line.row;
    int64_t age_us = (is_open(row) ? wall_us : row.updated_us) - row.created_us;
    lines.push_back(clipped(padded(clipped(printable(row.id), id_width), id_width) + "  " +
                            padded(clipped(printable(row.workflow), workflow_width), workflow_width) + "  " +
                            padded(store::status_name(row.status), k_status_width) + "  " +
                            padded(short_duration(std::max<int64_t>(0, age_us)), k_age_width) + "  " +
                            padded(is_open(row) ? std::to_string(line.steps_done) : "-", k_steps_width) + "  " + line.now, width));
  }
  return lines;
}

std::string board_json(const RunBoard& board) {
  JsonText json;
  json.open_array();
  for (const RunBoard::Line& line : board.lines()) {
    json.open_object().key("run").text(line.row.id).key("workflow").text(line.row.workflow);
    json.key("status").text(store::status_name(line.row.status));
    json.key("created_at").text(rfc3339(line.row.created_us)).key("updated_at").text(rfc3339(line.row.updated_us));
    json.key("steps_done");
    if (is_open(line.row)) json.number(static_cast<int64_t>(line.steps_done));
    else json.null();
    json.key("waits").number(static_cast<int64_t>(line.waits)).key("now").text_or_null(line.now).close_object();
  }
  return json.close_array().take();
}

}  // namespace perilune::cli
