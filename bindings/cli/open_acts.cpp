// See open_acts.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/open_acts.hpp"

#include <algorithm>

#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/wait_text.hpp"

namespace perilune::cli {

std::vector<OfferedAct> offered_acts(const StoreView& view, const engine::Finding& finding, const CommonOptions& options) {
  std::vector<OfferedAct> offered;
  bool goes_on = finding.row.status == store::Status::running || finding.row.status == store::Status::waiting;
  bool executed = goes_on && owner_of(view) != 0;
  for (const engine::OpenAct& act : engine::open_acts(finding)) {
    if (executed && act.verb != "pause" && act.verb != "abort") continue;
    std::string typed = command(options, act.verb, finding.row.id);
    if (act.verb == "rollback") typed += " --to " + shell_quoted(printable(act.target));
    if (act.verb == "fork") typed += " --at " + act.target;
    offered.push_back({act.verb, std::move(typed), printable(act.does)});
  }
  return offered;
}

namespace {
// Nothing when the store can't be read.
std::optional<engine::Finding> find(const StoreView& view, const std::string& run) {
  if (view.reader == nullptr) return std::nullopt;
  Result<std::optional<store::RunRow>> row = view.reader->run(run);
  if (!row.ok() || !row->has_value()) return std::nullopt;
  Result<std::vector<journal::Record>> records = view.reader->records((*row)->no, 1, 0);
  if (!records.ok() || records->empty()) return std::nullopt;
  return engine::Finding(std::move(**row), *records);
}
}  // namespace

std::vector<OfferedAct> offered_acts(const std::string& run, const CommonOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return {};
  std::optional<engine::Finding> found = find(*view, run);
  return found ? offered_acts(*view, *found, options) : std::vector<OfferedAct>();
}

std::vector<std::string> answer_commands(const std::string& run, const CommonOptions& options) {
  std::vector<std::string> commands;
  if (options.store == "memory") return commands;
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return commands;
  std::optional<engine::Finding> found = find(*view, run);
  if (!found) return commands;
  journal::Waits waits;
  for (const journal::Record& record : found->living) waits.apply(record);
  for (const journal::Wait* wait : waits.open())
    if (wait->what == journal::Wait::For::answer) commands.push_back(answer_command(command(options, "answer", run), *wait));
  return commands;
}

std::string acts_text(const std::vector<OfferedAct>& acts, const std::string& prefix) {
  int width = 0;
  for (const OfferedAct& act : acts) width = std::max(width, columns_of(act.command));
  std::string text;
  for (const OfferedAct& act : acts) text += prefix + padded(act.command, width) + "  " + act.does + "\n";
  return text;
}

}  // namespace perilune::cli
