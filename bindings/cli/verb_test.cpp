// perilune test: runs files of tests of workflows and says what passed.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "bindings/cli/config.hpp"
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/test_report.hpp"
#include "bindings/testing/runner.hpp"
#include "runtime/effects/file.hpp"

namespace perilune::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t k_file_bytes_max = 16 << 20;
constexpr const char* k_suffix = "_test.lua";

// The test files that a path means: itself, or all below it whose name ends in _test.lua.
Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) {
    if (fs::is_regular_file(path, failed)) return std::vector<std::string>{path};
    return Error(code::k_not_found, "no file or directory '" + path + "'");
  }
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, failed), end; entry != end;
       entry.increment(failed)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with(".") && entry->is_directory(failed)) entry.disable_recursion_pending();
    if (name.ends_with(k_suffix) && entry->is_regular_file(failed)) files.push_back(entry->path().lexically_normal().string());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) return Error(code::k_not_found, "no test files in '" + path + "': their names end in " + k_suffix);
  return files;
}

Result<testing::TestFile> read_test(const std::string& path, const std::string& cwd, const engine::Settings& settings) {
  Result<std::string> text = effects::read_file(path, k_file_bytes_max);
  if (!text.ok()) return text.error();
  testing::TestFile file;
  file.path = path;
  file.text = std::move(*text);
  std::error_code failed;
  file.directory = fs::weakly_canonical(fs::path(cwd) / path, failed).parent_path().string();
  file.cwd = cwd;
  file.settings = settings;
  return file;
}

void run_one(const std::string& path, const std::string& cwd, const engine::Settings& settings, TestReport& report) {
  report.file(path);
  Result<testing::TestFile> file = read_test(path, cwd, settings);
  Result<void> ran = file.ok() ? testing::run_test_file(
                                     *file, [&report](const testing::Verdict& verdict) { report.verdict(verdict); },
                                     [&report](const std::string& line) { report.line(line); })
                               : Result<void>(file.error());
  if (ran.ok()) return;
  testing::Verdict verdict;
  verdict.name = "(the file itself)";
  verdict.message = one_line(ran.error());
  if (!ran.error().traceback.empty()) verdict.message += "\n" + ran.error().traceback;
  report.verdict(verdict);
}

}  // namespace

int verb_test(const TestOptions& options) {
  std::error_code failed;
  std::string cwd = fs::current_path(failed).string();
  Result<Config> config = load_config(cwd, options.store, process_environment());
  if (!config.ok()) return complain(config.error(), "perilune doctor");
  std::vector<std::string> paths = options.paths;
  if (paths.empty()) paths.push_back(".");
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    Result<std::vector<std::string>> found = files_of(path);
    if (!found.ok()) return complain(found.error(), "perilune test --help");
    files.insert(files.end(), found->begin(), found->end());
  }
  TestReport::Form form = options.json ? TestReport::Form::json : options.tap ? TestReport::Form::tap : TestReport::Form::people;
  TestReport report(form, options.quiet);
  for (const std::string& file : files) run_one(file, cwd, config->engine, report);
  report.end();
  if (!options.junit.empty()) {
    Result<void> written = report.write_junit(options.junit);
    if (!written.ok()) return complain(written.error());
  }
  return report.failed() > 0 ? k_exit_failed : k_exit_ok;
}

}  // namespace perilune::cli
