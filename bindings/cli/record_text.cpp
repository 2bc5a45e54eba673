// See record_text.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/record_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "bindings/cli/terminal.hpp"
#include "bindings/cli/wait_text.hpp"
#include "runtime/flow/gate.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;

namespace {

constexpr int64_t k_us_in_s = 1'000'000;
constexpr int64_t k_wait_shown_us = k_us_in_s;  // shorter waits need no line
constexpr int k_value_columns = 100;
constexpr size_t k_value_bytes = 400;  // looked at before it is cut

int attempt_of(const Record& record) { return static_cast<int>(journal::number_of(record.data, "attempt")); }

std::string took(const Record& record) {
  int64_t started_us = journal::number_of(record.data, "started");
  return started_us > 0 ? short_duration(std::max<int64_t>(0, record.at_us - started_us)) : std::string();
}

std::string error_line(const Record& record) {
  Error error = error_from_json_text(journal::error_of(record.data));
  return printable(error.code + ": " + error.message);
}

std::string step_name(const Record& record) { return "step " + printable(record.name); }

EventText done_text(const Record& record) {
  std::string time = took(record);
  int attempt = attempt_of(record);
  return {Mark::done, step_name(record) + " done" + (time.empty() ? "" : " in " + time) +
                          (attempt > 1 ? " (attempt " + std::to_string(attempt) + ")" : "")};
}

EventText undone_text(const Record& record) {
  std::string name = printable(record.name);
  return {Mark::done, (name.rfind("undo ", 0) == 0 ? name : "undo: " + name) + " done in " + took(record)};
}

EventText failed_text(const Record& record) {
  int attempts = attempt_of(record);
  return {Mark::failed, step_name(record) + " failed" +
                            (attempts > 1 ? " after " + std::to_string(attempts) + " attempts" : "") + ": " +
                            error_line(record)};
}

EventText retry_text(const Record& record) {
  if (journal::number_of(record.data, "retry_at") == 0)
    return {Mark::failed, step_name(record) + " failed for good: " + error_line(record)};
  int64_t wait_us = std::max<int64_t>(0, journal::number_of(record.data, "retry_at") - record.at_us);
  return {Mark::retry, step_name(record) + " attempt " + std::to_string(attempt_of(record)) +
                           " failed: " + error_line(record) + "; again in " + short_duration(wait_us)};
}

// A record that says of what its task waits for, on its own.
std::string awaited_text(const Record& record) {
  journal::Waits waits;
  waits.apply(record);
  return waits.open().empty() ? std::string() : wait_text(*waits.open().front());
}

std::optional<EventText> timer_text(const Record& record) {
  int64_t wait_us = journal::number_of(record.data, "due") - record.at_us;
  if (wait_us < k_wait_shown_us) return std::nullopt;
  return EventText{Mark::note, awaited_text(record) + " (" + short_duration(wait_us) + ")"};
}

// What is waited for outside of the run; the tasks of one run wait for each other all the time.
std::optional<EventText> started_waiting_text(const Record& record) {
  journal::Waits waits;
  waits.apply(record);
  for (const journal::Wait* wait : waits.open())
    if (wait->what == journal::Wait::For::signal || wait->of_all_runs) return EventText{Mark::note, wait_text(*wait)};
  return std::nullopt;
}

EventText scope_text(const Record& record) {
  return {Mark::note,
          printable(record.name) + ": " + std::to_string(journal::number_of(record.data, "total")) + " branches"};
}

EventText joined_text(const Record& record) {
  auto number = [&record](const char* name) { return std::to_string(journal::number_of(record.data, name)); };
  return {Mark::note, printable(record.name) + ": " + number("done") + " done, " + number("failed") + " failed, " +
                          number("cancelled") + " cancelled of " + number("total")};
}

// "rolled back to record 12 by ana@desk"
std::string act_text(const Record& record) {
  std::string by = printable(journal::operator_of(record));
  std::string text = by.empty() ? "" : "by " + by;
  if (auto rewind = journal::rewind_of(record)) text += ", goes on behind record " + std::to_string(rewind->keep);
  return text;
}

std::string value_text(std::string_view value) {
  if (value.empty() || value == "null") return "";
  return "-> " + clipped(printable(value.substr(0, k_value_bytes)), k_value_columns);
}

std::string answer_text(const Record& record) {
  return "by " + printable(journal::operator_of(record)) + " " + value_text(journal::value_of(record.data));
}

// "held", "expect held", "did not hold: no disk"
std::string gate_text(const Record& record) {
  std::optional<flow::Verdict> verdict = flow::verdict_of(record);
  if (!verdict) return "";
  std::string text = verdict->held ? "held" : "did not hold: " + printable(verdict->message);
  return verdict->gate == record.name ? text : printable(verdict->gate) + " " + text;
}

std::string joined_words(std::initializer_list<std::string> words) {
  std::string text;
  for (const std::string& word : words)
    if (!word.empty()) text += (text.empty() ? "" : "  ") + word;
  return text;
}

std::string formatted(int64_t wall_us, const char* format) {
  time_t seconds = static_cast<time_t>(wall_us / k_us_in_s);
  struct tm local = {};
  localtime_r(&seconds, &local);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, format, &local));
}

}  // namespace

std::optional<EventText> event_text(const Record& record) {
  switch (record.kind) {
    case Kind::step_done:
      return done_text(record);
    case Kind::compensation_done:
      return undone_text(record);
    case Kind::step_failed:
      return failed_text(record);
    case Kind::step_skipped:
      return EventText{Mark::skipped, step_name(record) + " skipped"};
    case Kind::attempt_failed:
      return retry_text(record);
    case Kind::op_cancelled:
      return EventText{Mark::skipped, printable(record.name) + " cancelled"};
    case Kind::timer_set:
      return timer_text(record);
    case Kind::wait_started:
      return started_waiting_text(record);
    case Kind::ask_opened:
      return EventText{Mark::note, awaited_text(record)};
    case Kind::ask_answered:
      return EventText{Mark::done, "answer to '" + printable(record.name) + "' " + answer_text(record)};
    case Kind::scope_opened:
      return scope_text(record);
    case Kind::branch_joined:
      return joined_text(record);
    case Kind::checkpoint:
      return EventText{Mark::note, "checkpoint " + printable(record.name)};
    case Kind::decision:
      return EventText{Mark::note, printable(record.name) + ": " + std::string(printable(journal::value_of(record.data)))};
    case Kind::cancel_requested:
      return EventText{Mark::note, "cancel requested by " + printable(record.name)};
    case Kind::operator_act:
    case Kind::paused:
    case Kind::resumed:
    case Kind::rollback:
      return EventText{Mark::note, printable(record.name) + " " + act_text(record)};
    default:
      return std::nullopt;
  }
}

std::string detail_text(const Record& record) {
  int attempt = attempt_of(record);
  std::string attempts = attempt > 1 ? "attempt " + std::to_string(attempt) : std::string();
  switch (record.kind) {
    case Kind::step_done:
    case Kind::compensation_done:
    case Kind::timer_fired:
      return joined_words({took(record), attempts, value_text(journal::value_of(record.data))});
    case Kind::step_failed:
      return joined_words({took(record), attempts, error_line(record)});
    case Kind::step_started:
      return attempts;
    case Kind::attempt_failed:
      return retry_text(record).text.substr(step_name(record).size() + 1);
    case Kind::op_cancelled:
    case Kind::cancel_requested:
      return error_line(record);
    case Kind::timer_set:
    case Kind::wait_started:
    case Kind::ask_opened:
      return awaited_text(record);
    case Kind::ask_answered:
      return answer_text(record);
    case Kind::scope_opened:
      return std::to_string(journal::number_of(record.data, "total")) + " branches";
    case Kind::branch_done:
      return journal::holds_error(record.data) ? error_line(record) : value_text(journal::value_of(record.data));
    case Kind::branch_joined:
      return joined_text(record).text.substr(printable(record.name).size() + 2);
    case Kind::operator_act:
    case Kind::paused:
    case Kind::resumed:
    case Kind::rollback:
      return act_text(record);
    case Kind::gate:
      return gate_text(record);
    case Kind::state_changed:
      return clipped(printable(std::string_view(record.data).substr(0, k_value_bytes)), k_value_columns);
    case Kind::run_done:  // its name is the status
      return record.name == "completed" ? value_text(journal::value_of(record.data)) : error_line(record);
    default:
      return "";
  }
}

std::string short_duration(int64_t us) {
  char text[48];
  if (us < 1000) return std::to_string(us) + "us";
  if (us < 10'000)
    std::snprintf(text, sizeof text, "%.1fms", static_cast<double>(us) / 1e3);
  else if (us < k_us_in_s)
    std::snprintf(text, sizeof text, "%.0fms", std::floor(static_cast<double>(us) / 1e3));
  else if (us < 60 * k_us_in_s)
    std::snprintf(text, sizeof text, "%.1fs", std::floor(static_cast<double>(us) / 1e5) / 10);
  else if (us < 3600 * k_us_in_s)
    std::snprintf(text, sizeof text, "%dm%02ds", static_cast<int>(us / (60 * k_us_in_s)),
                  static_cast<int>(us / k_us_in_s % 60));
  else if (us < 86'400 * k_us_in_s)
    std::snprintf(text, sizeof text, "%dh%02dm", static_cast<int>(us / (3600 * k_us_in_s)),
                  static_cast<int>(us / (60 * k_us_in_s) % 60));
  else
    std::snprintf(text, sizeof text, "%lldd%02dh", static_cast<long long>(us / (86'400 * k_us_in_s)),
                  static_cast<int>(us / (3600 * k_us_in_s) % 24));
  return text;
}

std::string clock_time(int64_t wall_us) {
  static thread_local int64_t last_s = -1;  // progress asks for the same second many times
  static thread_local std::string last;
  int64_t second = wall_us / k_us_in_s;
  if (second == last_s) return last;
  bool today = formatted(wall_us, "%F") == formatted(static_cast<int64_t>(time(nullptr)) * k_us_in_s, "%F");
  last = formatted(wall_us, today ? "%T" : "%F %T");
  last_s = second;
  return last;
}

std::string date_time(int64_t wall_us) { return formatted(wall_us, "%F %T"); }

}  // namespace perilune::cli
