// compensate(name, "workflow", input): the undo is a run of a workflow. It is begun with an id that follows from the
// attempt, so that after a crash the same run is found again; a retry begins another one.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/api/effect_binding.hpp"
#include "bindings/api/undo.hpp"
#include "runtime/flow/child.hpp"

namespace perilune::api {

using flow::ChildRuns;
using nlohmann::json;

namespace {

// A run as an effect in flight. Undoing is shielded from cancellation: only a run that is ended by force leaves it.
class RunEffect final : public effects::Effect {
 public:
  RunEffect(ChildRuns& runs, ChildRuns::Request request, effects::Done<std::string> done)
      : runs_(runs), id_(request.id), workflow_(request.workflow), done_(std::move(done)) {
    runs_.start_child(std::move(request), [this, gone = gone_](Result<void> started) {
      if (*gone) return;
      if (started.ok()) watch();
      else finish(started.error());
    });
  }
  ~RunEffect() override { *gone_ = true; }
  void cancel() override { runs_.cancel_child(id_, Error(code::k_cancelled, "the run that it undoes something for was cancelled")); }

 private:
  void watch() {
    runs_.watch_child(id_, false, [this, gone = gone_](const flow::Ending& ending) {
      if (*gone) return false;
      if (ending.status == store::Status::completed) finish(ending.output);
      else if (ending.error != nullptr) finish(*ending.error);
      else finish(Error(code::k_paused, "run " + id_ + " of workflow '" + workflow_ + "' is " + std::string(store::status_name(ending.status))));
      return true;
    });
  }
  void finish(Result<std::string> result) {
    auto done = std::move(done_);
    done(std::move(result));   // destroys this
  }

  ChildRuns& runs_;
  std::string id_, workflow_;
  effects::Done<std::string> done_;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
};

Result<flow::EffectStep::Start> prepare(const std::string& arguments_json, engine::RunContext& context) {
  json what = json::parse(arguments_json)[0];
  ChildRuns::Request request;
  request.workflow = what["workflow"].get<std::string>();
  request.input = what["input"].dump();
  ChildRuns& runs = context.children();
  return flow::EffectStep::Start([&runs, request](const task::AttemptContext& attempt, effects::Done<std::string> done) {
    ChildRuns::Request begun = request;
    begun.id = attempt.key() + "-" + std::to_string(attempt.number);
    return std::make_unique<RunEffect>(runs, std::move(begun), std::move(done));
  });
}

constexpr EffectKind k_call{"call", prepare};

}  // namespace

int call_workflow_to_undo(lua_State* L) {
  lua_settop(L, 1);   // { workflow =, input = }
  return call_effect(L, k_call);
}

}  // namespace perilune::api
