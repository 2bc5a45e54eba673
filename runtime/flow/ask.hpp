// ask: a question that somebody outside answers. It is open from its record ask_opened, whose number is the question's, until its
// outcome: ask_answered with the answer and who gave it, timer_fired with the default when its time is over, or op_cancelled,
// which withdraws it. Answers come through Execution::answer, or stand in the journal already. Uses due_timer.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "runtime/flow/due_timer.hpp"

namespace perilune::flow {

struct AskSpec {
  std::string question;
  std::string choices;        // a list as JSON text, or empty: any answer will do
  std::string to;             // whom it is for, or empty
  int64_t timeout_us = -1;    // < 0: none
  std::string fallback;       // the default as JSON text, or empty
};

class Ask final : public Durable {
 public:
  Ask(Execution& execution, AskSpec spec);
  ~Ask() override;
  const char* call() const override { return "ask"; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::ask_answered || kind == journal::Kind::timer_fired;
  }
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override;

  // ---- for Execution::answer
  uint64_t question() const { return question_; }
  // Errors: "validation". `then` is called once it is on disk.
  Result<void> answer(const std::string& value_json, const std::string& by, std::function<void()> then);

  // ---- once it is over: who answered; empty = nobody in time
  const std::string& answered_by() const { return by_; }

 private:
  void start() override;
  void teardown(const task::ErrorRef& reason) override;
  std::string members() const;
  void close();

  AskSpec spec_;
  uint64_t question_ = 0;     // seq of ask_opened; 0 = not open in this life
  std::string by_;
  DueTimer timer_;
};

// An answer as the data of its record, and who gave it.
std::string answer_data(std::string_view value_json, const std::string& by);
// The choices of a question, by its record ask_opened.
std::string choices_of(const journal::Record& opened);
// Errors: "validation", which names the choices. `choices` as in AskSpec.
Result<void> check_answer(const std::string& choices, const std::string& value_json);

}  // namespace perilune::flow
