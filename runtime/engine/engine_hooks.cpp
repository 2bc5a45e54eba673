// Hook files of an engine, and what hooks hear of the beginnings and ends of runs. See engine.hpp and hook_host.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/run.hpp"

namespace perilune::engine {

using hooks::Point;

Result<void> Engine::add_hook_file(HookSource source) {
  HookHost::Place place;
  place.loop = options_.loop;
  place.scripts = options_.hook_scripts;
  place.effects = &effects_;
  place.registry = &hooks_;
  place.builtin_modules = &options_.builtin_modules;
  place.ask_turn = [this] {
    hooks_asked_ = true;
    options_.loop->ask_turn();
  };
  place.log = [this](const hooks::RunFacts* run, const char* level, std::string_view text, std::string_view fields) {
    log_of(run == nullptr ? hooks::RunFacts{} : *run, level, text, fields);
  };
  auto host = std::make_unique<HookHost>(std::move(place), std::move(source), options_.settings);
  Result<void> opened = host->open();
  if (opened.ok()) hook_hosts_.push_back(std::move(host));
  return opened;
}

void Engine::log_of(const hooks::RunFacts& run, const char* level, std::string_view text, std::string_view fields) {
  if (options_.observer == nullptr) return;
  store::RunRow row;
  row.id = run.id;
  row.workflow = run.workflow;
  options_.observer->log(row, options_.loop->clock().wall_us(), level, text, fields);
}

void Engine::tell_run(Point point, const store::RunRow& row, std::string fields) {
  if (!hooks_.listens(point)) return;
  hooks::Event event;
  event.point = point;
  event.name = hooks::row_of(point).name;
  event.fields = std::move(fields);
  event.run = std::make_shared<const hooks::RunFacts>(
      hooks::RunFacts{row.id, row.workflow, row.version, row.input, row.session, row.parent});
  hooks_.tell(std::move(event));
}

void Engine::tell_end(const store::RunRow& row, const flow::Ending& ending) {
  if (hooks_.empty()) return;
  std::string error = ending.error == nullptr ? std::string() : "\"error\":" + to_json_text(*ending.error);
  switch (ending.status) {
    case store::Status::completed:
      return tell_run(Point::run_complete, row, "\"output\":" + (ending.output.empty() ? "null" : ending.output));
    case store::Status::cancelled: return tell_run(Point::run_cancel, row, error);
    case store::Status::paused: return tell_run(Point::run_pause, row, error);
    case store::Status::waiting: return;   // it goes on when another run does
    default: return tell_run(Point::run_fail, row, error);
  }
}

}  // namespace perilune::engine
