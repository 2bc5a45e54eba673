// perilune query: asks a run what its script answers. A copy of the run is asked, made from its journal: that works beside the
// process that executes the run, and changes nothing. SPDX-License-Identifier: MIT
#include "bindings/api/api.hpp"
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/lua/host.hpp"
#include "runtime/engine/replayed_run.hpp"

namespace perilune::cli {

int verb_query(const QueryOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  std::unique_ptr<engine::ScriptHost> host = lua::make_lua_host(api::open);
  const std::map<std::string, std::string> modules = lua::stdlib_modules();
  auto copy = engine::ReplayedRun::open({view->reader.get(), host.get(), view->config.engine, &modules}, row->id);
  if (!copy.ok()) return complain(copy.error(), command(options, "show", row->id));
  Result<std::string> answer = (*copy)->query(options.name, options.input);
  if (!answer.ok()) return complain(answer.error(), command(options, "show", row->id));
  print_json(*answer);
  return k_exit_ok;
}

}  // namespace perilune::cli
