// See wait_text.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/wait_text.hpp"

#include <nlohmann/json.hpp>

#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

namespace perilune::cli {

using journal::Wait;

namespace {

std::string quoted(const std::string& name) { return "'" + printable(name) + "'"; }

std::string question_text(const Wait& wait) {
  std::string text = "asks " + (wait.to.empty() ? "" : printable(wait.to) + ": ") + quoted(wait.name) + " (question " +
                     std::to_string(wait.seq);
  return text + (wait.choices.empty() ? "" : ", one of " + printable(wait.choices)) + ")";
}

}  // namespace

std::string wait_text(const Wait& wait) {
  std::string until = wait.due_us == 0 ? "" : " until " + clock_time(wait.due_us);
  switch (wait.what) {
    case Wait::For::timer:
      return (wait.name == "sleep" ? "sleeps" : quoted(wait.name) + " waits") + until;
    case Wait::For::signal:
      return "waits for signal " + quoted(wait.name) + until;
    case Wait::For::answer:
      return question_text(wait) + until;
    case Wait::For::run:
      return "waits for run " + printable(wait.run) + " of workflow " + quoted(wait.name);
    case Wait::For::lock:
      return "waits for lock " + quoted(wait.name) + (wait.of_all_runs ? " of all runs" : "") + until;
    case Wait::For::retry:
      break;
  }
  return "step " + printable(wait.name) + " (attempt " + std::to_string(wait.attempt) + ") failed, again at " +
         clock_time(wait.due_us) + ": " + printable(one_line(error_from_json_text(wait.error)));
}

std::string answer_command(const std::string& verb, const Wait& question) {
  nlohmann::json choices = nlohmann::json::parse(question.choices, nullptr, false);
  std::string value = "VALUE";
  if (choices.is_array() && !choices.empty())
    value = choices[0].is_string() ? shell_quoted(printable(choices[0].get<std::string>())) : choices[0].dump();
  return verb + " --question " + std::to_string(question.seq) + " " + value;
}

std::string answer_hint(const std::string& run, const journal::Record& opened) {
  journal::Waits waits;
  waits.apply(opened);
  if (waits.open().empty()) return "";
  return "  answer with: " + answer_command("perilune answer " + shell_quoted(printable(run)), *waits.open().front());
}

void add_waits(JsonText& json, const std::vector<const Wait*>& waits) {
  json.key("waits").open_array();
  for (const Wait* wait : waits) {
    json.open_object().key("for").text(journal::wait_name(wait->what)).key("name").text(wait->name);
    json.key("since").text(rfc3339(wait->since_us));
    json.key("due").text_or_null(wait->due_us == 0 ? std::string() : rfc3339(wait->due_us));
    json.key("task").text(wait->task).key("op").number(wait->op);
    if (wait->what == Wait::For::answer) {
      json.key("question").number(static_cast<int64_t>(wait->seq));
      json.key("choices").recorded(wait->choices).key("to").text_or_null(wait->to);
    }
    if (wait->what == Wait::For::run) json.key("run").text(wait->run);
    if (wait->what == Wait::For::lock) json.key("of_all_runs").boolean(wait->of_all_runs);
    if (wait->what == Wait::For::retry) json.key("attempt").number(wait->attempt).key("error").recorded(wait->error);
    json.close_object();
  }
  json.close_array();
}

}  // namespace perilune::cli
