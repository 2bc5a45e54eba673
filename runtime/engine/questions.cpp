// See questions.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/questions.hpp"

#include <algorithm>

#include "runtime/base/clock.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::engine {

using journal::Kind;
using journal::Record;

namespace {

std::string question_text(uint64_t number, const std::string& text) {
  return "question " + std::to_string(number) + " '" + text + "'";
}

// "is answered already, by ana@desk"
std::string end_text(const std::vector<Record>& living, const Record& opened) {
  for (const Record& record : living) {
    if (record.seq <= opened.seq || record.task != opened.task || record.op != opened.op) continue;
    if (record.kind == Kind::ask_answered) return "was answered already, by " + journal::operator_of(record);
    if (record.kind == Kind::timer_fired) return "is closed: its time was over at " + rfc3339(record.at_us);
    if (record.kind == Kind::op_cancelled) return "was withdrawn by the run";
  }
  return "is closed: the run is over, or an answer to it is on its way";
}

std::vector<const journal::Wait*> questions_of(const journal::Waits& waits) {
  std::vector<const journal::Wait*> open = waits.open();
  std::erase_if(open, [](const journal::Wait* wait) { return wait->what != journal::Wait::For::answer; });
  return open;
}

}  // namespace

Result<Record> find_question(const std::string& run, const std::vector<Record>& living, uint64_t number) {
  journal::Waits waits;
  for (const Record& record : living) waits.apply(record);
  std::vector<const journal::Wait*> open = questions_of(waits);
  std::string names;
  for (const journal::Wait* wait : open) names += (names.empty() ? "" : ", ") + question_text(wait->seq, wait->name);
  if (number == 0 && open.size() > 1)
    return Error(code::k_usage, "run '" + run + "' asks several questions: say which one is meant: " + names);
  if (number == 0 && open.size() == 1) number = open.front()->seq;
  auto opened = std::find_if(living.begin(), living.end(), [number](const Record& record) {
    return record.seq == number && record.kind == Kind::ask_opened;
  });
  bool is_open = std::any_of(open.begin(), open.end(), [number](const auto* wait) { return wait->seq == number; });
  if (is_open && opened != living.end()) return *opened;
  if (opened != living.end())
    return Error(code::k_usage, question_text(number, opened->name) + " of run '" + run + "' " + end_text(living, *opened) +
                                    (names.empty() ? "" : "; open: " + names));
  if (names.empty()) return Error(code::k_usage, "run '" + run + "' asks no question now");
  return Error(code::k_usage, "run '" + run + "' has no question " + std::to_string(number) + "; open: " + names);
}

}  // namespace perilune::engine
