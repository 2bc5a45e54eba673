// What stands between an operation and its work when hooks have a say: asks them, writes down what they decide, and carries
// out what is no end by itself (delay, redirect).
//
//   pass -> recorded by an earlier life? --yes--> carry out
//             \--no--> the script's decision, then the outside hooks --> hook_decision is committed --> carry out
//
// What scripts decide is found again by replay and is recorded for those who look on; what outside hooks decide is taken
// from the record: they are not asked again. A life that ended before the record was committed had decided nothing.
// Uses durable, redirection, hooks.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/flow/due_timer.hpp"
#include "runtime/flow/redirection.hpp"
#include "runtime/hooks/registry.hpp"

namespace perilune::flow {

class HookGate {
 public:
  // How it goes on.
  struct Pass {
    enum class How : uint8_t { work, result, error, cancelled };
    How how = How::work;
    std::string input;    // work: JSON text, when it was replaced
    std::string value;    // result: JSON text. work: of a decision, when it was replaced
    Error error;
    std::string by;       // whose decision it was, or empty
    bool skipped = false; // result: nothing was done in its place
  };
  using Then = std::function<void(Pass)>;
  struct Question {
    hooks::Point point;
    int round = 0;
    std::string fields;   // of the event: the members of a JSON object
    std::string input;    // JSON text: what replace{...} changes, or empty
    const char* input_name = "input";
  };

  // `op` is held by the execution while the gate is passed, but for the time that it only waits.
  HookGate(Execution& execution, Durable& op) : execution_(execution), op_(op), timer_(execution) {}

  // Hooks have, or had, a say here: else pass() would say `work` at once.
  static bool stands(Execution& execution, const Durable& op, hooks::Point point, const hooks::Decision* preset);
  // What an earlier life recorded.
  std::optional<hooks::Decision> recorded(hooks::Point point, int round) const;

  // `then` is called once, at once or later, and may destroy the gate.
  void pass(Question question, const hooks::Decision* preset, Then then);
  // While it is being passed: `then` comes, as cancelled, when what was begun has ended.
  void cancel(const Error& reason);
  // Cancelled before this life began it, when an earlier one has redirected it: `then` comes, as cancelled, when the run that
  // stands in for it has ended. False: there is none.
  bool cancel_redirected(Question question, const Error& reason, Then then);
  // The operation is not held at the moment.
  bool rests() const { return resting_; }

 private:
  void decided(hooks::Decision decision);
  void carry_out();
  void redirect();
  void rest(bool on);
  void finish(Pass pass);

  Execution& execution_;
  Durable& op_;
  Question question_;
  Then then_;
  hooks::Decision decision_;
  DueTimer timer_;
  std::unique_ptr<Redirection> redirection_;
  bool cancelled_ = false;
  bool waits_commit_ = false;
  std::shared_ptr<void> asking_;   // the outside hooks, while they are asked
  bool resting_ = false;
};

}  // namespace perilune::flow
