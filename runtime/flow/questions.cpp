// The open questions of a run, and their answers; see ask.hpp and execution.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/flow/ask.hpp"

namespace perilune::flow {

void Execution::add_question(Ask& question) { questions_.push_back(&question); }

void Execution::remove_question(Ask& question) { std::erase(questions_, &question); }

void Execution::answer(Answer answer) {
  if (over_ || stopped_ || deciding_)
    return answer.done(Error(code::k_usage, "run '" + options_.row.id + "' is ending: it takes no answers"));
  if (replaying_) {   // which questions are open is known when it stands where it stood
    answers_.push_back(std::move(answer));
    return;
  }
  auto is_meant = [&](const Ask* ask) { return answer.question == 0 || ask->question() == answer.question; };
  auto meant = std::find_if(questions_.begin(), questions_.end(), is_meant);
  if (meant == questions_.end() || std::find_if(meant + 1, questions_.end(), is_meant) != questions_.end())
    return answer.done(Error(code::k_not_found, "no such question, or several"));   // the engine finds the words
  Result<void> taken = (*meant)->answer(answer.value, answer.by, [done = answer.done] { done({}); });
  if (!taken.ok()) answer.done(taken.error());
}

// What came during the replay.
void Execution::take_answers() {
  std::vector<Answer> answers = std::move(answers_);
  answers_.clear();
  for (Answer& one : answers) answer(std::move(one));
}

}  // namespace perilune::flow
