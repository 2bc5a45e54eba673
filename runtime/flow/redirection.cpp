// See redirection.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/redirection.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/ids.hpp"

namespace perilune::flow {

std::string Redirection::run_id(Execution& execution, const Durable& op) {
  auto digest = sha256("redirect|" + execution.operation_key(op.task(), op.number()));
  std::array<uint8_t, 16> bytes;
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return uuid_from_bytes(bytes);
}

Redirection::~Redirection() {
  *gone_ = true;
  if (waiting_) execution_.left_other(run_, stuck_);
}

void Redirection::start(std::string workflow, std::string input, Done done) {
  workflow_ = std::move(workflow);
  run_ = run_id(execution_, op_);
  done_ = std::move(done);
  waiting_ = true;
  execution_.awaits_other(run_);
  ChildRuns::Request request{workflow_, input.empty() ? "{}" : std::move(input), run_, false};
  execution_.children()->start_child(std::move(request), [this, gone = gone_](Result<void> started) {
    if (*gone) return;
    if (!started.ok()) {   // later: whoever began it is still at it
      return execution_.loop().post([this, gone, error = std::move(started.error())] {
        if (!*gone) finish(error);
      });
    }
    begun_ = true;
    watch();
    if (reason_ != nullptr) execution_.children()->cancel_child(run_, *reason_);
  });
}

void Redirection::watch() {
  execution_.children()->watch_child(run_, true, [this, gone = gone_](const Ending& ending) { return !*gone && ended(ending); });
}

bool Redirection::ended(const Ending& ending) {
  if (store::is_final(ending.status)) {
    if (ending.status == store::Status::completed) finish(ending.output);
    else finish(*ending.error);
    return true;
  }
  if (cancelled_) return finish(Error(code::k_cancelled, "cancelled")), true;
  stuck_ = true;
  std::string why = ending.error ? ": " + ending.error->message : std::string();
  execution_.other_stuck(Error(code::k_paused, "run " + run_ + " of workflow '" + workflow_ + "', to which a hook has redirected '" +
                                                   op_.name() + "', is " + std::string(store::status_name(ending.status)) + why));
  execution_.ask_turn();
  return true;
}

void Redirection::finish(Result<std::string> result) {
  if (std::exchange(waiting_, false)) execution_.left_other(run_, std::exchange(stuck_, false));
  Done done = std::move(done_);
  execution_.ask_turn();
  done(std::move(result));   // may destroy this
}

void Redirection::cancel(const Error& reason) {
  if (std::exchange(cancelled_, true)) return;
  reason_ = std::make_unique<Error>(reason);
  if (begun_) execution_.children()->cancel_child(run_, reason);
  if (stuck_) finish(Error(code::k_cancelled, "cancelled"));
}

}  // namespace perilune::flow
