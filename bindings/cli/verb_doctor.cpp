// perilune doctor: is everything as it should be here? Versions, the store, the settings with their sources. Changes
// nothing.
// SPDX-License-Identifier: MIT
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/versions.hpp"
#include "runtime/base/units.hpp"
#include "runtime/store/sqlite_connection.hpp"
#include "runtime/store/sqlite_schema.hpp"
#include "runtime/store/sqlite_store.hpp"

namespace perilune::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t k_free_bytes_low = 256 << 20;

struct Check {
  std::string name;
  const char* verdict;  // "ok", "warn", "fail"
  std::string text;
  std::string advice;
};

struct Findings {
  Config config;
  StorePlace place;
  bool exists = false, writable = false;
  int64_t owner = 0, schema = 0, free_bytes = -1, unfinished = 0;
  std::vector<Check> checks;
  int exit_code = k_exit_ok;

  void add(std::string name, const char* verdict, std::string text, std::string advice = "") {
    checks.push_back({std::move(name), verdict, std::move(text), std::move(advice)});
  }
  void fail(std::string name, const Error& error, std::string advice) {
    add(std::move(name), "fail", error.message, std::move(advice));
    exit_code = exit_code_of(error);
  }
};

// The directory that the store lies in, or the nearest above it that is there already.
fs::path standing_directory(const std::string& path) {
  std::error_code failed;
  fs::path directory = fs::path(path).parent_path();
  while (!fs::exists(directory, failed) && directory != directory.parent_path()) directory = directory.parent_path();
  return directory;
}

// To whole GiB or MiB: nobody plans by the page.
int64_t rounded(int64_t bytes) {
  constexpr int64_t k_gib = 1 << 30, k_mib = 1 << 20;
  return bytes >= 10 * k_gib ? bytes / k_gib * k_gib : bytes / k_mib * k_mib;
}

void check_disk(Findings& findings) {
  std::string directory = standing_directory(findings.place.path).string();
  findings.writable = access(directory.c_str(), W_OK | X_OK) == 0 &&
                      (!findings.exists || access(findings.place.path.c_str(), W_OK) == 0);
  if (findings.writable) {
    findings.add("writable", "ok", directory);
  } else {
    Error error(code::k_storage, directory + ": " + std::strerror(errno));
    findings.fail("writable", error, "give yourself write access, or name another place with --store");
  }
  struct statvfs space = {};
  if (statvfs(directory.c_str(), &space) != 0) return;
  findings.free_bytes = static_cast<int64_t>(space.f_bavail) * static_cast<int64_t>(space.f_frsize);
  bool low = findings.free_bytes < k_free_bytes_low;
  findings.add("free space", low ? "warn" : "ok", format_size(rounded(findings.free_bytes)),
               low ? "runs stop, and can be resumed, when the disk is full" : "");
}

void check_store(Findings& findings) {
  const std::string& path = findings.place.path;
  std::error_code failed;
  findings.exists = fs::exists(path, failed);
  check_disk(findings);
  if (!findings.exists) return findings.add("store", "ok", path + " (not made yet: the first run makes it)");
  findings.owner = store::sqlite_owner_pid(path);
  auto db = store::SqliteConnection::open(path, store::SqliteConnection::Mode::read_only);
  if (db.ok()) {
    Result<int64_t> schema = db->query_integer("pragma user_version");
    if (schema.ok()) findings.schema = *schema;
  }
  auto reader = store::open_sqlite_reader(path);
  if (!reader.ok()) {
    bool newer = reader.error().code == code::k_newer_schema;
    return findings.fail(
        "store", reader.error(),
        newer ? "use the perilune that wrote it, or a newer one" : "restore a backup, or move the file away");
  }
  findings.add("store", "ok", path + ", schema " + std::to_string(findings.schema));
  StoreView view{findings.config, findings.place, std::move(*reader)};
  Result<std::vector<store::RunRow>> unfinished = unfinished_runs(view);
  if (!unfinished.ok()) return findings.fail("runs", unfinished.error(), "restore a backup, or move the file away");
  findings.unfinished = static_cast<int64_t>(unfinished->size());
  if (findings.owner != 0)
    return findings.add("owner", "ok", "process " + std::to_string(findings.owner) + " is running it");
  if (findings.unfinished == 0) return findings.add("runs", "ok", "none is unfinished");
  findings.add("runs", "warn", std::to_string(findings.unfinished) + " unfinished, and no process executes them",
               "perilune resume --all, or perilune list --status running,waiting");
}

std::string doctor_json(const Findings& findings) {
  JsonText json;
  json.open_object().key("versions").open_object();
  for (const Version& one : versions()) json.key(one.name).text(one.version);
  json.close_object().key("store").open_object();
  json.key("url").text(findings.place.url()).key("path").text_or_null(findings.place.path);
  json.key("exists").boolean(findings.exists).key("writable").boolean(findings.writable || findings.place.memory);
  json.key("owner");
  if (findings.owner != 0)
    json.number(findings.owner);
  else
    json.null();
  json.key("schema").number(findings.schema).key("schema_known").number(store::k_schema_version);
  json.key("durability").text(findings.config.relaxed ? "relaxed" : "full");
  json.key("free_bytes").number(findings.free_bytes).key("unfinished").number(findings.unfinished);
  json.close_object().key("settings").open_array();
  for (const Setting& setting : findings.config.settings) {
    json.open_object().key("name").text(setting.name).key("value").text(setting.value);
    json.key("source").text(setting.source).close_object();
  }
  json.close_array().key("checks").open_array();
  for (const Check& check : findings.checks) {
    json.open_object().key("name").text(check.name).key("verdict").text(check.verdict);
    json.key("text").text(check.text).key("advice").text_or_null(check.advice).close_object();
  }
  json.close_array().key("ok").boolean(findings.exit_code == k_exit_ok);
  return json.close_object().take();
}

void print_findings(const Findings& findings) {
  Terminal terminal = terminal_of(STDOUT_FILENO);
  std::string made_of;
  for (const Version& one : versions()) made_of += (made_of.empty() ? "" : ", ") + one.name + " " + one.version;
  print_out("versions  " + made_of + "\nstore     " + printable(findings.place.url()) + "\nsettings\n");
  for (const Setting& setting : findings.config.settings)
    print_out("  " + padded(setting.name, 29) + "  " +
              padded(setting.value.empty() ? "-" : printable(setting.value), 10) + "  " +
              painted(terminal, Paint::dim, printable(setting.source)) + "\n");
  print_out("checks\n");
  for (const Check& check : findings.checks) {
    Paint paint = *check.verdict == 'o' ? Paint::green : *check.verdict == 'w' ? Paint::yellow : Paint::red;
    print_out("  " + painted(terminal, paint, padded(check.verdict, 4)) + "  " + padded(check.name, 10) + "  " +
              printable(check.text) + "\n");
    if (!check.advice.empty()) print_out("        try: " + check.advice + "\n");
  }
}

}  // namespace

int verb_doctor(const CommonOptions& options) {
  Findings findings;
  std::error_code failed;
  std::string cwd = fs::current_path(failed).string();
  Result<Config> config = load_config(cwd, options.store, process_environment());
  if (!config.ok()) return complain(config.error(), "mend the setting");
  findings.config = std::move(*config);
  Result<StorePlace> place = place_store(findings.config, cwd);
  if (!place.ok()) return complain(place.error(), "perilune doctor --help");
  findings.place = std::move(*place);
  if (findings.place.memory)
    findings.add("store", "warn", "in memory: it is gone with its process", "use sqlite:PATH");
  else
    check_store(findings);
  if (findings.config.relaxed)
    findings.add("durability", "warn", "relaxed: the last commits may be lost when power fails",
                 "store.durability = full");
  if (options.json)
    print_json(doctor_json(findings));
  else
    print_findings(findings);
  return findings.exit_code;
}

}  // namespace perilune::cli
