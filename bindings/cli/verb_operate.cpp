// perilune retry, skip, rollback, pause, abort: what operators do with a run that nobody executes, or with all that a
// filter matches. Each is planned first on what can be read, so that a refusal comes before any question, and a question
// before anything is done.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/outcomes.hpp"
#include "bindings/cli/person.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_filter.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/engine/recovery.hpp"

namespace perilune::cli {

using engine::Order;
using store::RunRow;
using store::Status;

namespace {

constexpr size_t k_runs_named = 5;   // in a question

struct Verb {
  const char* name;
  Order::Act act;
  std::vector<Status> open;   // statuses that --all takes when none are named
  bool go_on = true;          // the runs go on here, and the verb stays until they are over
};

Order order_of(const Verb& verb, const OperateOptions& options) {
  Order order;
  order.act = verb.act;
  order.by = person(options.by);
  order.result = options.result;
  order.checkpoint = options.to;
  return order;
}

int report_one(const Verb& verb, const Session::Outcome& outcome, const OperateOptions& options, const std::string& hint) {
  if (outcome.refused != nullptr) return complain(*outcome.refused, hint);
  if (!outcome.result.status) return k_exit_left;
  if (verb.go_on) return report_result(outcome.result, options);
  if (options.json) {
    print_json(run_json(outcome.result));
  } else if (!options.quiet) {
    std::string text = "run " + printable(outcome.result.run) + " is " + std::string(store::status_name(*outcome.result.status));
    if (*outcome.result.status == Status::paused) text += "; it goes on with\n  " + command(options, "resume", outcome.result.run);
    print_err(text + "\n");
  }
  return k_exit_ok;
}

int operate_one(const Verb& verb, const OperateOptions& options, StoreView& view) {
  Result<RunRow> row = find_run(view, options.run);
  if (!row.ok()) return complain(row.error());
  std::string id = row->id;
  std::string hint = command(options, "status", id);
  Result<std::vector<journal::Record>> records = view.reader->records(row->no, 1, 0);
  if (!records.ok()) return complain(records.error());
  Order order = order_of(verb, options);
  Result<engine::Plan> plan = engine::plan_act(engine::Finding(std::move(*row), *records), order);
  if (!plan.ok()) return complain(plan.error(), hint);
  std::string question = std::string(verb.name) + " run " + printable(id) + ": " + printable(plan->does) + ".";
  if (plan->destroys)
    if (Result<void> meant = confirm(question, options.yes); !meant.ok()) return complain(meant.error(), hint);
  if (!options.quiet && !options.json) print_err(question + "\n");
  view.reader.reset();
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Session& session = **opened;
  session.operate(id, order, verb.go_on);
  session.wait();
  return report_one(verb, session.outcomes().front(), options, hint);
}

std::string names_of(const std::vector<RunRow>& rows) {
  std::string names;
  for (size_t i = 0; i < rows.size() && i < k_runs_named; ++i) names += (i == 0 ? "" : ", ") + printable(rows[i].id);
  return rows.size() > k_runs_named ? names + " and " + std::to_string(rows.size() - k_runs_named) + " more" : names;
}

int operate_all(const Verb& verb, const OperateOptions& options, StoreView& view) {
  Result<store::Filter> filter = make_filter(options);
  if (!filter.ok()) return complain(filter.error(), std::string("perilune ") + verb.name + " --help");
  if (filter->statuses.empty()) filter->statuses = verb.open;
  Result<std::vector<RunRow>> rows = view.reader == nullptr ? std::vector<RunRow>() : view.reader->list(*filter);
  if (!rows.ok()) return complain(rows.error());
  if (rows->empty()) {
    if (options.json) print_json("[]");
    else if (!options.quiet) print_err(std::string("no run is there to ") + verb.name + "\n");
    return k_exit_ok;
  }
  bool destroys = verb.act == Order::Act::rollback || verb.act == Order::Act::abort;
  std::string question = std::string(verb.name) + " " + std::to_string(rows->size()) + " runs: " + names_of(*rows) + ".";
  if (destroys)
    if (Result<void> meant = confirm(question, options.yes); !meant.ok()) return complain(meant.error(), "");
  view.reader.reset();
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Session& session = **opened;
  Order order = order_of(verb, options);
  for (auto row = rows->rbegin(); row != rows->rend(); ++row) session.operate(row->id, order, verb.go_on);   // oldest first
  session.wait();
  return report_all(session, options, !verb.go_on);
}

bool filters(const OperateOptions& options) {
  return !options.statuses.empty() || !options.workflow.empty() || !options.session.empty() || !options.since.empty() ||
         options.limit >= 0;
}

int operate(const Verb& verb, const OperateOptions& options) {
  auto refuse = [&](const std::string& what) {
    return complain(Error(code::k_usage, what), std::string("perilune ") + verb.name + " --help");
  };
  if (options.all && !options.run.empty()) return refuse("a RUN and --all exclude each other");
  if (!options.all && options.run.empty()) return refuse(std::string("say which run to ") + verb.name + ", or --all with a filter");
  if (!options.all && filters(options)) return refuse("a filter goes with --all");
  if (!nlohmann::json::accept(options.result))
    return complain(Error(code::k_validation, "the result is not JSON: " + options.result), "perilune skip RUN --result '{\"id\":7}'");
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  return options.all ? operate_all(verb, options, *view) : operate_one(verb, options, *view);
}

}  // namespace

int verb_retry(const OperateOptions& options) { return operate({"retry", Order::Act::retry, {Status::failed}, true}, options); }

int verb_skip(const OperateOptions& options) { return operate({"skip", Order::Act::skip, {Status::paused}, true}, options); }

int verb_rollback(const OperateOptions& options) {
  return operate({"rollback", Order::Act::rollback, {Status::queued, Status::running, Status::waiting, Status::paused}, true}, options);
}

int verb_pause(const OperateOptions& options) {
  return operate({"pause", Order::Act::pause, {Status::queued, Status::running, Status::waiting}, false}, options);
}

int verb_abort(const OperateOptions& options) {
  return operate({"abort", Order::Act::abort, {Status::queued, Status::running, Status::waiting, Status::paused}, false}, options);
}

}  // namespace perilune::cli
