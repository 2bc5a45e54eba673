// What went wrong, as a value: a stable code, a sentence for people, and where it came from.
// Errors cross tasks, runs and restarts, so an Error can be written as JSON and read back without loss.
// Uses nothing but the standard library; the JSON form is in error.cpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace perilune {

// Codes of the runtime: stable strings, listed in docs/errors.md. Scripts may use codes of their own.
namespace code {
inline constexpr const char* k_timeout = "timeout";
inline constexpr const char* k_cancelled = "cancelled";
inline constexpr const char* k_step_failed = "step_failed";
inline constexpr const char* k_validation = "validation";
inline constexpr const char* k_denied = "denied";
inline constexpr const char* k_limit = "limit";
inline constexpr const char* k_gate = "gate";                // requires, preflight or postflight did not hold
inline constexpr const char* k_max_reached = "max_reached";
inline constexpr const char* k_memory = "memory";
inline constexpr const char* k_budget = "budget";
inline constexpr const char* k_deadlock = "deadlock";
inline constexpr const char* k_unknown_outcome = "unknown_outcome";
inline constexpr const char* k_diverged = "diverged";
inline constexpr const char* k_usage = "usage";              // a call or an option that is wrong
inline constexpr const char* k_syntax = "syntax";            // a script that does not compile
inline constexpr const char* k_script = "script";            // error(x) of a script, caught at a border
inline constexpr const char* k_not_yieldable = "not_yieldable";  // a durable call where none may stand
inline constexpr const char* k_not_found = "not_found";
inline constexpr const char* k_conflict = "conflict";
inline constexpr const char* k_paused = "paused";            // what is waited for is paused: an operator must act
inline constexpr const char* k_io = "io";                    // file, process or network trouble
inline constexpr const char* k_http_status = "http_status";
inline constexpr const char* k_exit_status = "exit_status";
inline constexpr const char* k_storage = "storage";          // the store could not do it: exit 74
inline constexpr const char* k_damaged = "damaged";          // the store's content is broken: exit 65
inline constexpr const char* k_owned = "owned";              // the store belongs to another process: exit 75
inline constexpr const char* k_newer_schema = "newer_schema";  // the store was written by a newer version: exit 78
inline constexpr const char* k_fenced = "fenced";            // a write by an owner that is no longer the owner
inline constexpr const char* k_internal = "internal";
}  // namespace code

struct Error {
  std::string code;
  std::string message;
  std::string step;            // the step it belongs to, or empty
  int attempt = 0;             // which attempt of that step, from 1; 0 = none
  std::string data;            // JSON text, or empty
  std::string traceback;       // script frames, newest first, or empty
  bool retry = true;           // false: fail(..., { retry = false })
  double retry_after_s = -1;   // when >= 0, the source asked to wait that long before the next attempt
  std::shared_ptr<const Error> cause;
  std::vector<Error> suppressed;

  Error() = default;
  Error(std::string code_, std::string message_) : code(std::move(code_)), message(std::move(message_)) {}
};

// "code: message (step 'charge', attempt 2)", always one line.
std::string one_line(const Error& error);

// The JSON object of an error (fields that are empty are left out), and back. Reading accepts any JSON: what is not an
// error object becomes an error with code "internal" and the text as message, so a damaged record is still shown.
std::string to_json_text(const Error& error);
Error error_from_json_text(std::string_view text);

// True for codes that no retry may mend: validation denied cancelled budget memory limit gate unknown_outcome diverged
// usage syntax deadlock.
bool never_retried(std::string_view code);

}  // namespace perilune
