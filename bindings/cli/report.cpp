// See report.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/report.hpp"

#include <unistd.h>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/open_acts.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

using store::Status;

namespace {

constexpr size_t k_suppressed_max = 20;
constexpr int k_causes_max = 20;

std::string default_hint(const Error& error) {
  if (error.code == code::k_owned) return "perilune status";
  if (error.code == code::k_newer_schema) return "perilune version (a newer perilune wrote this store)";
  if (error.code == code::k_damaged) return "perilune store verify";
  if (error.code == code::k_storage) return "perilune doctor";
  if (error.code == code::k_usage) return "perilune help";
  if (error.code == code::k_not_found) return "perilune list";
  return "";
}

// "order.lua:12" out of the newest frame of a traceback that has one.
std::string script_line(const std::string& traceback) {
  for (size_t at = 0; at < traceback.size();) {
    size_t end = std::min(traceback.find('\n', at), traceback.size());
    std::string_view line(traceback.data() + at, end - at);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    size_t colon = line.find(": in ");
    if (colon != std::string_view::npos && line.front() != '[') return std::string(line.substr(0, colon));
    at = end + 1;
  }
  return "";
}

std::string place_of(const Error& error) {
  std::string place;
  if (!error.step.empty()) place = "in step " + printable(error.step);
  if (error.attempt > 0) place += (place.empty() ? "attempt " : ", attempt ") + std::to_string(error.attempt);
  std::string line = script_line(error.traceback);
  if (!line.empty()) place += (place.empty() ? "at " : ", at ") + printable(line);
  return place;
}

std::string suppressed_text(const Error& error) {
  if (error.suppressed.empty()) return "";
  std::string text = "  also failed:\n";
  size_t shown = 0;
  for (const Error& other : error.suppressed) {
    if (shown++ == k_suppressed_max) break;
    text += "    " + printable(one_line(other)) + "\n";
  }
  if (error.suppressed.size() > k_suppressed_max)
    text += "    and " + std::to_string(error.suppressed.size() - k_suppressed_max) + " more\n";
  return text;
}

std::string error_text(const Error& error) {
  std::string text = indented(printable_lines(error.code + ": " + error.message), "  ");
  if (std::string place = place_of(error); !place.empty()) text += "  " + place + "\n";
  int causes = 0;
  for (const Error* cause = error.cause.get(); cause != nullptr && causes < k_causes_max;
       cause = cause->cause.get(), ++causes)
    text += "  caused by: " + printable(one_line(*cause)) + "\n";
  if (!error.traceback.empty()) text += "  traceback:\n" + indented(printable_lines(error.traceback), "    ");
  return text + suppressed_text(error);
}

void report_left(const RunResult& result, const CommonOptions& options) {
  std::string text;
  if (result.error != nullptr) text += "perilune: " + printable(one_line(*result.error)) + "\n";
  if (options.store == "memory")
    text += "perilune: run " + printable(result.run) + " is gone: its store was in memory\n";
  else
    text += "perilune: run " + printable(result.run) + " is not over; go on with\n  " +
            command(options, "resume", result.run) + "\n";
  for (const std::string& answer : answer_commands(result.run, options)) text += "or answer first with\n  " + answer + "\n";
  if (result.status == Status::paused && options.store != "memory") {
    std::vector<OfferedAct> acts = offered_acts(result.run, options);
    std::erase_if(acts, [](const OfferedAct& act) { return act.verb == "resume"; });
    if (!acts.empty()) text += "or with one of\n" + acts_text(acts, "  ");
  }
  print_err(text);
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  bool plain = !word.empty();
  for (char c : word)
    plain = plain && (isalnum(static_cast<unsigned char>(c)) ||
                      std::string_view("-_./:@%+=,").find(c) != std::string_view::npos);
  if (plain) return word;
  std::string quoted = "'";
  for (char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string command(const CommonOptions& options, const std::string& verb, const std::string& run) {
  std::string text = "perilune " + verb + " " + shell_quoted(printable(run));
  return options.store.empty() ? text : text + " --store " + shell_quoted(printable(options.store));
}

int complain(const Error& error, const std::string& hint) {
  std::string text = "perilune: " + printable_lines(error.message) + "\n";
  std::string next = hint.empty() ? default_hint(error) : hint;
  if (!error.traceback.empty()) text += "  traceback:\n" + indented(printable_lines(error.traceback), "    ");
  if (!next.empty()) text += "  try: " + next + "\n";
  print_err(text);
  return exit_code_of(error);
}

void report_failure(const RunResult& result, const CommonOptions& options, bool with_acts) {
  std::string text = "perilune: run " + printable(result.run) + " (" + printable(result.workflow) + ") " +
                     (result.existed ? "has " : "") + std::string(store::status_name(*result.status)) + "\n";
  if (result.error != nullptr) text += error_text(*result.error);
  if (options.store != "memory") text += "  try: " + command(options, "show", result.run) + "\n";
  if (with_acts && options.store != "memory") text += acts_text(offered_acts(result.run, options), "  or:  ");
  print_err(text);
}

int report_result(const RunResult& result, const CommonOptions& options) {
  int exit_code = exit_code_of(*result.status, result.error.get());
  if (options.json) print_json(run_json(result));
  if (exit_code == k_exit_ok) {
    if (!options.json) print_json(result.output.empty() ? "null" : result.output);
  } else if (store::is_final(*result.status) || *result.status == Status::diverged) {
    report_failure(result, options, true);
  } else {
    report_left(result, options);
  }
  return exit_code;
}

void print_json(std::string_view json) {
  static const bool k_for_people = isatty(STDOUT_FILENO) != 0;
  print_out(k_for_people ? json_pretty(json) : std::string(json));
  print_out("\n");
}

}  // namespace perilune::cli
