// perilune run: starts a workflow and stays until it is over.
// SPDX-License-Identifier: MIT
#include <filesystem>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/input_option.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/session.hpp"
#include "runtime/effects/file.hpp"

namespace perilune::cli {
namespace {

constexpr int64_t k_script_bytes_max = 16 << 20;

Result<engine::StartRequest> make_request(const RunOptions& options) {
  engine::StartRequest request;
  Result<std::string> text = effects::read_file(options.file, k_script_bytes_max);
  if (!text.ok()) return Error(code::k_script, text.error().message);
  Result<std::string> input = read_input(options.input);
  if (!input.ok()) return input.error();
  std::error_code failed;
  std::filesystem::path cwd = std::filesystem::current_path(failed);
  std::filesystem::path script = std::filesystem::weakly_canonical(cwd / options.file, failed);
  request.file = options.file;
  request.text = std::move(*text);
  request.directory = script.parent_path().string();
  request.cwd = cwd.string();
  request.workflow = options.workflow;
  request.input = std::move(*input);
  request.id = options.id;
  request.session = options.session;
  return request;
}

int refuse(const Error& error, const RunOptions& options) {
  if (options.json) {
    RunResult result;
    result.error = std::make_shared<const Error>(error);
    print_json(run_json(result));
  }
  if (error.code == code::k_validation) return complain(error, "perilune help run");
  if (error.code == code::k_usage || error.code == code::k_not_found) return complain(error, "perilune run --help");
  if (error.code == code::k_conflict) return complain(error, command(options, "show", options.id));
  return complain(error);
}

}  // namespace

int verb_run(const RunOptions& options) {
  Result<engine::StartRequest> request = make_request(options);
  if (!request.ok()) return refuse(request.error(), options);
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return refuse(opened.error(), options);
  Session& session = **opened;
  session.start(std::move(*request));
  bool undisturbed = session.wait();
  const Session::Outcome& outcome = session.outcomes().front();
  if (outcome.refused != nullptr) return refuse(*outcome.refused, options);
  if (!undisturbed && !outcome.result.status) return k_exit_left;  // before it was on disk: there is no run
  return report_result(outcome.result, options);
}

}  // namespace perilune::cli
