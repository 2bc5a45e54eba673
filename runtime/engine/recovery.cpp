// Plans of the operator's acts; see recovery.hpp. Where a journal is taken back to is decided in rewind_point.cpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/recovery.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/error.hpp"
#include "runtime/engine/rewind_point.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::engine {

using journal::Kind;
using journal::Record;
using journal::Rewind;
using nlohmann::json;
using store::Status;

namespace {

std::string status_of(const Finding& run) { return std::string(store::status_name(run.row.status)); }

Error not_open(const Finding& run, const std::string& why) {
  return Error(code::k_usage, "run '" + run.row.id + "' is " + status_of(run) + ": " + why);
}

bool is_over(const Finding& run) { return store::is_final(run.row.status) || run.row.status == Status::diverged; }

std::string quoted(const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

// {"by":...,MEMBERS}
std::string act_data(const std::string& by, const std::string& members) {
  return "{\"by\":" + quoted(by) + (members.empty() ? "" : "," + members) + "}";
}

Record act(const std::string& verb, const std::string& by, const std::string& members, Kind kind = Kind::operator_act) {
  Record record;
  record.kind = kind;
  record.name = verb;
  record.data = act_data(by, members);
  return record;
}

uint32_t generation_of(const Finding& run) {
  for (auto record = run.journal.rbegin(); record != run.journal.rend(); ++record)
    if (auto rewind = journal::rewind_of(*record)) return rewind->generation;
  return 0;
}

store::RunPatch goes_on() {
  store::RunPatch patch;
  patch.status = Status::running;
  patch.wake_us = 0;
  patch.output = patch.error = std::string();
  return patch;
}

std::string at_record(uint64_t seq) { return " (record " + std::to_string(seq) + ")"; }

std::string step_text(const Record& record) { return "step '" + record.name + "'"; }

std::string trying(const Record& failed) {
  return undoes(failed) ? "tries again to undo '" + failed.name + "'" : "tries " + step_text(failed) + " again";
}

uint64_t journal_gap(const Finding& run, uint64_t until) { return first_gap(run.living, run.journal, until); }

std::string gone(uint64_t gap) { return "a loop has let go of its record " + std::to_string(gap) + ", which would be needed"; }

Result<Plan> plan_pause(const Finding& run, const std::string& by) {
  if (is_over(run)) return not_open(run, "there is nothing to pause");
  if (run.row.status == Status::quarantined) return not_open(run, "it is set aside already");
  if (run.row.status == Status::paused) return not_open(run, "it waits already for somebody to resume it");
  Plan plan;
  plan.records.push_back(act("pause", by, "", Kind::paused));
  plan.patch.status = Status::paused;
  plan.patch.wake_us = 0;
  plan.does = "leaves it as it is until somebody resumes it";
  return plan;
}

Result<Plan> plan_resume(const Finding& run, const std::string& by) {
  if (is_over(run)) return not_open(run, "there is nothing to resume");
  Plan plan;
  plan.does = run.row.status == Status::quarantined ? "looks at it once more, and goes on if all is well"
                                                    : "goes on from its last record";
  if (run.row.status != Status::paused) return plan;   // it was interrupted: that needs no act of an operator
  if (auto rollback = journal::open_rollback(run.living)) {
    plan.does = "goes on with the rollback to '" + rollback->name + "'";
  } else if (const Record* failed = paused_by(run.living)) {
    plan.does = trying(*failed) + at_record(failed->seq);
  }
  plan.records.push_back(act("resume", by, "", Kind::resumed));
  plan.patch = goes_on();
  return plan;
}

Result<Plan> plan_retry(const Finding& run, const std::string& by) {
  Plan plan;
  plan.patch = goes_on();
  Rewind rewind;
  rewind.generation = generation_of(run) + 1;
  if (run.row.status == Status::paused) {
    const Record* failed = paused_by(run.living);
    if (failed == nullptr) return not_open(run, "no step has failed; resume goes on with it");
    rewind.keep = run.row.last_seq;
    rewind.task = failed->task;
    rewind.op = failed->op;
    plan.does = trying(*failed) + " with fresh attempts" + at_record(failed->seq);
  } else if (run.row.status == Status::failed) {
    RetryPoint point = retry_point(run);
    rewind.keep = point.keep;
    rewind.undone = point.undone;
    rewind.task = point.task;
    rewind.op = point.op;
    plan.does = point.does;
  } else {
    return not_open(run, "only a run that failed can be tried again");
  }
  plan.records.push_back(act("retry", by, journal::rewind_members(rewind)));
  return plan;
}

Result<Plan> plan_skip(const Finding& run, const std::string& by, const std::string& result) {
  const Record* failed = run.row.status == Status::paused ? paused_by(run.living) : nullptr;
  if (failed == nullptr) return not_open(run, "no step has failed and waits to be skipped");
  Plan plan;
  plan.patch = goes_on();
  plan.does = undoes(*failed) ? "goes on without having undone '" + failed->name + "'"
                              : "gives " + step_text(*failed) + " up, with " + result + " as its result, and goes on";
  plan.records.push_back(act("skip", by, "\"step\":" + quoted(failed->name)));
  Record outcome;
  outcome.kind = undoes(*failed) ? Kind::compensation_done : Kind::step_skipped;
  outcome.task = failed->task;
  outcome.op = failed->op;
  outcome.name = failed->name;
  outcome.fingerprint = failed->fingerprint;
  std::string extra = "\"by\":" + quoted(by);
  int64_t since = journal::number_of(failed->data, "since");
  if (since > 0) extra = "\"skipped\":true,\"since\":" + std::to_string(since) + "," + extra;
  outcome.data = journal::with_value({0, 0, extra}, undoes(*failed) ? "null" : result);
  plan.records.push_back(std::move(outcome));
  return plan;
}

Result<Plan> plan_rollback(const Finding& run, const std::string& by, const std::string& checkpoint) {
  if (run.row.status == Status::diverged || run.row.status == Status::quarantined)
    return not_open(run, "its script does not fit its journal, so nothing of it can be undone");
  Result<const Record*> found = checkpoint_named(run.living, checkpoint);
  if (!found.ok()) return found.error();
  const Record& to = **found;
  if (const Record* failed = run.row.status == Status::paused ? paused_by(run.living) : nullptr;
      failed != nullptr && undoes(*failed))
    return not_open(run, "it is undoing its steps already");
  if (const Record* undone = undone_before(run.living, to))
    return not_open(run, "'" + undone->name + "' has been undone" + at_record(undone->seq) +
                                         ", which was done before the checkpoint '" + checkpoint + "'");
  if (uint64_t gap = journal_gap(run, to.seq); gap != 0) return not_open(run, gone(gap));
  if (const Record* lock = lock_lost(run, to.seq))
    return not_open(run, "it held lock '" + lock->name + "' at the checkpoint, and has given it back since");
  Plan plan;
  plan.destroys = true;
  plan.patch = goes_on();
  std::string members = "\"to\":" + quoted(checkpoint) + ",\"checkpoint\":" + std::to_string(to.seq);
  if (!run.living.empty() && store::is_final(run.row.status)) {   // its end goes first, the script is replayed up to it
    Rewind rewind{end_of(run.living) - 1, {}, 0, generation_of(run), false};
    members += "," + journal::rewind_members(rewind);
  }
  plan.records.push_back(act("rollback", by, members));
  plan.does = "undoes what was done since checkpoint '" + checkpoint + "'" + at_record(to.seq) + " and goes on from there";
  return plan;
}

Result<Plan> plan_abort(const Finding& run, const std::string& by) {
  if (store::is_final(run.row.status)) return not_open(run, "there is nothing to abort");
  Plan plan;
  plan.destroys = true;
  plan.does = "ends it now, as cancelled, and undoes nothing";
  Error error(code::k_cancelled, "aborted by " + by + "; nothing was undone");
  Record end;
  end.kind = Kind::run_done;
  end.name = std::string(store::status_name(Status::cancelled));
  end.data = journal::with_error({}, to_json_text(error));
  plan.records = {act("abort", by, ""), std::move(end)};
  plan.patch.status = Status::cancelled;
  plan.patch.wake_us = 0;
  plan.patch.error = to_json_text(error);
  return plan;
}

}  // namespace

Result<Plan> plan_act(const Finding& run, const Order& order) {
  Result<Plan> plan = [&]() -> Result<Plan> {
    switch (order.act) {
      case Order::Act::pause: return plan_pause(run, order.by);
      case Order::Act::resume: return plan_resume(run, order.by);
      case Order::Act::retry: return plan_retry(run, order.by);
      case Order::Act::skip: return plan_skip(run, order.by, order.result);
      case Order::Act::rollback: return plan_rollback(run, order.by, order.checkpoint);
      case Order::Act::abort: break;
    }
    return plan_abort(run, order.by);
  }();
  if (plan.ok() || plan.error().code != code::k_usage) return plan;
  std::string open;
  for (const OpenAct& act : open_acts(run)) open += (open.empty() ? "; open are: " : ", ") + act.verb;
  plan.error().message += open;
  return plan;
}

std::vector<OpenAct> open_acts(const Finding& run) {
  std::vector<OpenAct> acts;
  auto add = [&](const char* verb, const std::string& options, const Result<Plan>& plan) {
    if (plan.ok()) acts.push_back({verb, options, plan->does});
  };
  const std::string nobody;
  add("resume", "", plan_resume(run, nobody));
  add("retry", "", plan_retry(run, nobody));
  add("skip", "", plan_skip(run, nobody, "null"));
  add("pause", "", plan_pause(run, nobody));
  if (const Record* to = newest_checkpoint(run.living)) add("rollback", to->name, plan_rollback(run, nobody, to->name));
  if (!is_over(run) && run.row.status != Status::quarantined) acts.push_back({"cancel", "", "undoes what was done and ends it as cancelled"});
  add("abort", "", plan_abort(run, nobody));
  if (uint64_t at = newest_fork(run); at > 0)
    acts.push_back({"fork", std::to_string(at), "starts a new run that goes on from this one's record " + std::to_string(at)});
  return acts;
}

uint64_t newest_fork(const Finding& run) {
  return run.row.status == Status::failed ? retry_point(run).keep : end_of(run.living) - 1;
}

Result<std::vector<Record>> plan_fork(const Finding& run, uint64_t at) {
  auto refuse = [&](const std::string& why) {
    return Error(code::k_usage, "run '" + run.row.id + "' can't be forked at record " + std::to_string(at) + ": " + why);
  };
  if (at == 0 || at > run.row.last_seq) return refuse("it has records 1 to " + std::to_string(run.row.last_seq));
  std::vector<Record> shared;
  std::copy_if(run.journal.begin(), run.journal.end(), std::back_inserter(shared), [at](const Record& r) { return r.seq <= at; });
  std::vector<Record> counting = journal::living(shared);
  if (counting.empty() || counting.back().seq != shared.back().seq) return refuse("its journal is not whole");
  if (uint64_t end = end_of(counting); end <= at) return refuse("record " + std::to_string(end) + " ends it; fork before that");
  if (journal::open_rollback(counting)) return refuse("it was being rolled back there");
  if (shared.back().seq != at) return refuse(gone(at));
  if (const Record* lock = lock_held(counting, at)) return refuse("it held lock '" + lock->name + "' there, which two runs can't");
  if (uint64_t gap = first_gap(counting, shared, at); gap != 0) return refuse(gone(gap));
  return shared;
}

}  // namespace perilune::engine
