// perilune store: looks after the file that runs are kept in: verify, backup.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/json_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/nearest.hpp"
#include "runtime/store/verify.hpp"

namespace perilune::cli {

namespace {

constexpr const char* k_help = "perilune store --help";
constexpr std::string_view k_acts[] = {"verify", "backup"};

std::string verdict_json(const store::Verdict& verdict) {
  JsonText json;
  json.open_object().key("ok").boolean(verdict.damages.empty()).key("runs").number(verdict.runs);
  json.key("records").number(verdict.records).key("unsealed").number(verdict.unsealed);
  json.key("bundles").number(verdict.bundles).key("damages").open_array();
  for (const store::Damage& damage : verdict.damages) {
    json.open_object().key("run").text_or_null(damage.run).key("record");
    if (damage.seq > 0) json.number(static_cast<int64_t>(damage.seq));
    else json.null();
    json.key("what").text(damage.what).close_object();
  }
  return json.close_array().close_object().take();
}

void print_verdict(const store::Verdict& verdict, const StoreOptions& options) {
  if (options.quiet && verdict.damages.empty()) return;
  bool files = false;
  for (const store::Damage& damage : verdict.damages) {
    files = files || damage.run.empty();
    print_out((damage.run.empty() ? std::string() : "run " + printable(damage.run) + ": ") + printable(damage.what) + "\n");
    if (damage.run.empty() || damage.seq < 2) continue;
    print_out("  it is good up to record " + std::to_string(damage.seq - 1) + ": a new run goes on from there with\n  " +
              command(options, "fork", damage.run) + " --at " + std::to_string(damage.seq - 1) + "\n");
  }
  print_out(std::to_string(verdict.runs) + " runs, " + std::to_string(verdict.records) + " records, " +
            std::to_string(verdict.bundles) + " scripts: " +
            (verdict.damages.empty() ? "all as it was written" : std::to_string(verdict.damages.size()) + " damages") + "\n");
  if (verdict.unsealed > 0)
    print_out(std::to_string(verdict.unsealed) + " records are older than seals: only their numbers could be looked at\n");
  if (files) print_out("the file itself is damaged: keep a copy of it, and put a backup in its place\n");
}

int verify(const StoreOptions& options, const StorePlace& place) {
  Result<store::Verdict> verdict = store::verify_sqlite(place.path);
  if (!verdict.ok()) return complain(verdict.error());
  if (options.json) print_json(verdict_json(*verdict));
  else print_verdict(*verdict, options);
  return verdict->damages.empty() ? k_exit_ok : k_exit_damaged;
}

int backup(const StoreOptions& options, const StorePlace& place) {
  if (options.file.empty()) return complain(Error(code::k_usage, "where to? name the file of the backup"), k_help);
  Result<void> done = store::backup_sqlite(place.path, options.file);
  if (!done.ok()) return complain(done.error(), done.error().code == code::k_usage ? k_help : "");
  std::error_code failed;
  auto bytes = static_cast<int64_t>(std::filesystem::file_size(options.file, failed));
  if (options.json)
    print_json(JsonText().open_object().key("file").text(options.file).key("bytes").number(bytes).close_object().take());
  else if (!options.quiet)
    print_err(printable(options.file) + ": " + std::to_string(bytes) + " bytes, the store as it stood\n");
  return k_exit_ok;
}

}  // namespace

int verb_store(const StoreOptions& options) {
  if (std::find(std::begin(k_acts), std::end(k_acts), options.act) == std::end(k_acts))
    return complain(Error(code::k_usage, unknown_name("act", options.act, "perilune store", k_acts)), k_help);
  if (options.act == "verify" && !options.file.empty())
    return complain(Error(code::k_usage, "verify takes no file: --store names the store"), k_help);
  std::error_code failed;
  std::string cwd = std::filesystem::current_path(failed).string();
  if (failed) return complain(Error(code::k_storage, "the working directory is gone: " + failed.message()));
  Result<Config> config = load_config(cwd, options.store, process_environment());
  if (!config.ok()) return complain(config.error());
  Result<StorePlace> place = place_store(*config, cwd);
  if (!place.ok()) return complain(place.error());
  if (place->memory) return complain(Error(code::k_usage, "a store in memory is gone with its process"), k_help);
  return options.act == "verify" ? verify(options, *place) : backup(options, *place);
}

}  // namespace perilune::cli
